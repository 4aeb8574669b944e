/** Bytes as a text of the characters U+0000 to U+00FF: compared as bytes are, and sliced without a copy. */

/** Most arguments that one call is given. */
const stride = 8192;

/** One character a byte. */
export function byteString(bytes: Uint8Array): string {
  if (bytes.length <= stride) return String.fromCharCode.apply(null, bytes as unknown as number[]);
  let text = "";
  for (let i = 0; i < bytes.length; i += stride) {
    text += String.fromCharCode.apply(null, bytes.subarray(i, i + stride) as unknown as number[]);
  }
  return text;
}

/** The UTF-8 bytes of a text; a lone surrogate becomes U+FFFD. */
export function utf8ByteString(text: string): string {
  return isAscii(text) ? text : byteString(new TextEncoder().encode(text));
}

/** A byte string for people: as UTF-8, with U+FFFD where it is none. A byte order mark stays, because it makes another name. */
export function utf8Text(bytes: string): string {
  return isAscii(bytes) ? bytes : new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytesOf(bytes));
}

/** The bytes that a byte string stands for. */
export function bytesOf(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}

/** Well-formed UTF-8 (RFC 3629): no overlong forms, no surrogates, nothing beyond U+10FFFF. */
export function isUtf8(bytes: string): boolean {
  for (let i = 0; i < bytes.length; ) {
    const lead = bytes.charCodeAt(i++);
    if (lead < 0x80) continue;
    const more = lead < 0xc2 ? -1 : lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : lead < 0xf5 ? 3 : -1;
    if (more < 0) return false;
    const next = bytes.charCodeAt(i);
    const least = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80;
    const most = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf;
    if (!(next >= least && next <= most)) return false;
    for (let k = 1; k < more; k++) if (!isContinuation(bytes.charCodeAt(i + k))) return false;
    i += more;
  }
  return true;
}

function isContinuation(byte: number): boolean {
  return byte >= 0x80 && byte <= 0xbf;
}

function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0x7f) return false;
  return true;
}
