const urlAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

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

/**
 * The bytes of base64url as Envoy reads it: white space anywhere is skipped, padding (`=` or `.`) may be missing but not
 * be wrong, and loose bits at the end are dropped. Undefined when the text is none.
 */
export function decodeBase64ForEnvoy(text: string): readonly number[] | undefined {
  const dense = text.replace(/[ \t\n\v\f\r]/g, "");
  const body = dense.replace(/[=.]+$/, "");
  const padding = dense.length - body.length;
  const loose = body.length % 4;
  if (loose === 1 || (padding > 0 && padding !== (4 - loose) % 4)) return undefined;
  const bytes: number[] = [];
  let bits = 0;
  let held = 0;
  for (const character of body) {
    const six = urlAlphabet.indexOf(character);
    if (six === -1) return undefined;
    held = (held << 6) | six;
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    bytes.push((held >> bits) & 0xff);
    held &= (1 << bits) - 1;
  }
  return bytes;
}
