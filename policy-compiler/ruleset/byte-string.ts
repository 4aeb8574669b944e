import type { ByteString } from "./model.ts";

/** The UTF-8 bytes of a text as a byte string. Text that is ASCII comes back as it is. A lone surrogate becomes U+FFFD. */
export function toByteString(text: string): ByteString {
  if (isAscii(text)) return text;
  let out = "";
  for (const byte of new TextEncoder().encode(text)) out += String.fromCharCode(byte);
  return out;
}

/** A byte string for people: decoded as UTF-8, bytes that are not UTF-8 as U+FFFD. */
export function fromByteString(bytes: ByteString): string {
  if (isAscii(bytes)) return bytes;
  const raw = new Uint8Array(bytes.length);
  for (let i = 0; i < bytes.length; i++) raw[i] = bytes.charCodeAt(i);
  return new TextDecoder().decode(raw);
}

/**
 * A to Z in lower case and nothing else, of text and of byte strings: Envoy folds ASCII alone, and `toLowerCase` would fold `İ`, the Kelvin sign,
 * and in a byte string bytes that are no characters (U+00C0).
 */
export function toAsciiLowerCase(text: string): string {
  return /[A-Z]/.test(text) ? text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase()) : text;
}

function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0x7f) return false;
  return true;
}
