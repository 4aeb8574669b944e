import { byteString } from "./byte-string.ts";

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const SPACE = -2;
const PADDING = -3;

/** For every byte: its six bits, or what else it may be. */
const meaning = new Int8Array(256).fill(-1);
for (let i = 0; i < alphabet.length; i++) meaning[alphabet.charCodeAt(i)] = i;
for (const mark of " \t\n\v\f\r") meaning[mark.charCodeAt(0)] = SPACE;
for (const mark of "=.") meaning[mark.charCodeAt(0)] = PADDING;

/**
 * The bytes of base64url as Envoy reads it: white space anywhere is skipped, padding (`=` or `.`) may be missing but not be wrong, and
 * loose bits at the end are dropped. Undefined when the text is none. Cost: one pass.
 */
export function decodeBase64Url(text: string): Uint8Array | undefined {
  const bytes = new Uint8Array(Math.floor((text.length * 3) / 4));
  let length = 0;
  let i = 0;
  // PERF: `bench/tokens.ts`. Groups of four plain digits; the loop behind takes whatever is left, and could take all.
  for (; i + 3 < text.length; i += 4) {
    const [a, b, c, d] = [text.charCodeAt(i), text.charCodeAt(i + 1), text.charCodeAt(i + 2), text.charCodeAt(i + 3)];
    if ((a | b | c | d) > 0xff) break;
    const group = (meaning[a]! << 18) | (meaning[b]! << 12) | (meaning[c]! << 6) | meaning[d]!;
    if (group < 0) break;
    bytes[length++] = group >> 16;
    bytes[length++] = group >> 8;
    bytes[length++] = group;
  }
  let held = 0;
  let bits = 0;
  let padding = 0;
  for (; i < text.length; i++) {
    const code = text.charCodeAt(i);
    const six = code < 256 ? meaning[code]! : -1;
    if (six >= 0 && padding === 0) {
      held = ((held & 0x3f) << 6) | six;
      bits += 6;
      if (bits < 8) continue;
      bits -= 8;
      bytes[length++] = held >> bits;
    } else if (six === PADDING) padding++;
    else if (six !== SPACE) return undefined;
  }
  // 6 bits are one digit, 4 are two digits, 2 are three.
  if (bits === 6 || (padding > 0 && padding !== bits / 2)) return undefined;
  return length === bytes.length ? bytes : bytes.subarray(0, length);
}

/** The same as a byte string. PERF: `bench/tokens.ts`, against the way by `decodeBase64Url`, which takes what else is base64url. */
export function decodeToByteString(text: string): string | undefined {
  if (/^[A-Za-z0-9_-]*$/.test(text) && text.length % 4 !== 1) {
    return atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  }
  const bytes = decodeBase64Url(text);
  return bytes === undefined ? undefined : byteString(bytes);
}

/** Base64url without padding (RFC 4648 §5, RFC 7515 §2). */
export function encodeBase64Url(bytes: Uint8Array): string {
  return btoa(byteString(bytes)).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}
