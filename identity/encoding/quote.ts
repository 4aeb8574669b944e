const longest = 80;

/** Text from outside for a message: in backticks, on one line, cut after 80 characters. Total. */
export function quote(text: string): string {
  const characters = [...text];
  const shown = characters.length > longest ? `${characters.slice(0, longest).join("")}…` : text;
  // Control characters, line ends and the marks that turn the direction of writing would make a message lie about itself.
  const plain = shown.replace(
    /[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/gu,
    (mark) => `\\u{${mark.codePointAt(0)?.toString(16) ?? ""}}`,
  );
  return `\`${plain}\``;
}
