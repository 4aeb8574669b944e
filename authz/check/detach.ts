/**
 * The same text, on its own. Texts of a decoded request are parts of its whole message: one that is kept for longer than the
 * request would keep the message alive.
 */
export function detach(text: string): string {
  return Buffer.from(text, "utf16le").toString("utf16le");
}
