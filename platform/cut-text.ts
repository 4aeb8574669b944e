/**
 * The words of a stranger as one line that can be shown: no longer than so many bytes of UTF-8 (cut between characters, with `…` for what is missing), with spaces for control characters and
 * line breaks. Takes time for what it keeps alone, however long the text is.
 */
export function cutText(text: string, limitBytes: number): string {
  const begin = text.slice(0, limitBytes);
  const line = begin.replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, " ").toWellFormed();
  if (begin.length === text.length && Buffer.byteLength(line) <= limitBytes) return line;
  const room = Buffer.from(line).subarray(0, Math.max(0, limitBytes - ellipsisBytes));
  // A character that was cut in two is left out.
  return `${new TextDecoder("utf-8").decode(room, { stream: true })}…`;
}

const ellipsisBytes = Buffer.byteLength("…");
