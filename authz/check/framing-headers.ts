/** Headers of an HTTP message that its transport writes itself (RFC 9110 §7.6.1, RFC 9112 §6): no answer can carry others. */
export const framingHeaders: ReadonlySet<string> = new Set([
  "content-length",
  "transfer-encoding",
  "connection",
  "trailer",
  "upgrade",
]);
