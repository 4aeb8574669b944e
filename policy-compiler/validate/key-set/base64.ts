/**
 * Would the reader of key sets in Istio's validation take this text for base64? It takes either alphabet but not both, padding or
 * none, line ends anywhere before the padding's end, and loose bits at the end.
 */
export function isBase64ForIstio(text: string): boolean {
  const padded = text.endsWith("=");
  const dense = text.replace(/[\r\n]/g, "");
  const body = padded ? dense.replace(/={1,2}$/, "") : dense;
  if (!/^[A-Za-z0-9_-]*$/.test(body) && !/^[A-Za-z0-9+/]*$/.test(body)) return false;
  if (body.length % 4 === 1) return false;
  return !padded || (dense.length % 4 === 0 && body.length % 4 !== 0);
}
