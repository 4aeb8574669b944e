import type { ByteString } from "#policy-compiler/ruleset/model";

/** Bytes as Envoy writes them into a protobuf string: each that is not part of valid UTF-8 (RFC 3629) becomes `!`. */
export function sanitizeUtf8(bytes: ByteString): ByteString {
  let out = "";
  let clean = 0;
  for (let i = 0; i < bytes.length; ) {
    const length = sequenceLength(bytes, i);
    if (length === 0) {
      out += `${bytes.slice(clean, i)}!`;
      clean = ++i;
    } else {
      i += length;
    }
  }
  return clean === 0 ? bytes : out + bytes.slice(clean);
}

/** Length of the valid sequence that begins at `at`, 0 if none does. */
function sequenceLength(bytes: ByteString, at: number): number {
  const first = bytes.charCodeAt(at);
  if (first < 0x80) return 1;
  if (first < 0xc2 || first > 0xf4) return 0;
  const length = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  // The second byte is bounded so that no code point has two spellings, none is a surrogate, none lies beyond U+10FFFF.
  const low = first === 0xe0 ? 0xa0 : first === 0xf0 ? 0x90 : 0x80;
  const high = first === 0xed ? 0x9f : first === 0xf4 ? 0x8f : 0xbf;
  const second = bytes.charCodeAt(at + 1);
  if (!(second >= low && second <= high)) return 0;
  for (let i = 2; i < length; i++) {
    const next = bytes.charCodeAt(at + i);
    if (!(next >= 0x80 && next <= 0xbf)) return 0;
  }
  return length;
}
