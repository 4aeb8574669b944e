/** For messages: hexadecimal, cut after 40 bytes. */
export function shownBytes(bytes: Uint8Array): string {
  if (bytes.length === 0) return "nothing";
  const shown = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, 40)).toString("hex");
  return bytes.length > 40 ? `${shown}… (${bytes.length} bytes)` : shown;
}

/** For messages: what a certificate says, never more than 100 characters of printable ASCII. */
export function shownText(text: string): string {
  const plain = text.replace(/[^\x20-\x7e]/g, "?");
  return `\`${plain.length > 100 ? `${plain.slice(0, 100)}…` : plain}\``;
}
