/**
 * The same text, on its own. Texts of a decoded request are parts of its whole message: one that is kept for longer than the
 * request would keep the message alive.
 */
export function detach(text: string): string {
  // PERF: a byte a character where that is enough: such keys are compared with parts of messages, which are stored so too (`bench/grpc.ts`).
  const encoding = /^[\0-\xff]*$/.test(text) ? "latin1" : "utf16le";
  return Buffer.from(text, encoding).toString(encoding);
}
