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
  let digits = 0;
  let held = 0;
  let padding = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    const six = code < 256 ? meaning[code]! : -1;
    if (six >= 0 && padding === 0) {
      held = ((held & 0x3ffff) << 6) | six;
      digits++;
      if (digits % 4 !== 1) bytes[length++] = held >> (6 - 2 * ((digits - 1) % 4));
    } else if (six === PADDING) padding++;
    else if (six !== SPACE) return undefined;
  }
  const loose = digits % 4;
  if (loose === 1 || (padding > 0 && padding !== (4 - loose) % 4)) return undefined;
  return bytes.subarray(0, length);
}

/** Base64url without padding (RFC 4648 §5, RFC 7515 §2). */
export function encodeBase64Url(bytes: Uint8Array): string {
  let text = "";
  for (let i = 0; i < bytes.length; i += 3) {
    const group = (bytes[i]! << 16) | ((bytes[i + 1] ?? 0) << 8) | (bytes[i + 2] ?? 0);
    text += alphabet[group >> 18]! + alphabet[(group >> 12) & 63]!;
    if (i + 1 < bytes.length) text += alphabet[(group >> 6) & 63]!;
    if (i + 2 < bytes.length) text += alphabet[group & 63]!;
  }
  return text;
}
