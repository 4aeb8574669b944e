import type { ByteString } from "#policy-compiler/ruleset/model";

/**
 * The length in bytes of the character that RE2's `.` matches at a place, 0 if it matches none there: any UTF-8 sequence but a
 * newline. RE2 in UTF-8 mode matches no byte outside such a sequence (it lets overlong and too large sequences pass whose
 * first byte is C2-F4, and so do we).
 */
export function dotLength(text: ByteString, at: number): number {
  return text.charCodeAt(at) === 0x0a ? 0 : characterLength(text, at);
}

/** The length in bytes of the character that a negated class of RE2 (`[^/]`) may match at a place: newlines are among them. */
export function characterLength(text: ByteString, at: number): number {
  const lead = text.charCodeAt(at);
  if (lead < 0x80) return 1;
  // `charCodeAt` beyond the end is NaN, for which every comparison is false.
  const length =
    lead >= 0xc2 && lead <= 0xdf ? 2 : lead >= 0xe0 && lead <= 0xef ? 3 : lead >= 0xf0 && lead <= 0xf4 ? 4 : 0;
  for (let i = 1; i < length; i++) {
    const next = text.charCodeAt(at + i);
    if (!(next >= 0x80 && next <= 0xbf)) return 0;
  }
  return length;
}

/** Does `.*` match the text from `start` to `end`, all of it? */
export function isDots(text: ByteString, start: number, end: number): boolean {
  for (let i = start; i < end; ) {
    const length = dotLength(text, i);
    if (length === 0 || i + length > end) return false;
    i += length;
  }
  return true;
}

/** Like `isDots`, newlines allowed. */
export function isCharacters(text: ByteString, start: number, end: number): boolean {
  for (let i = start; i < end; ) {
    const length = characterLength(text, i);
    if (length === 0 || i + length > end) return false;
    i += length;
  }
  return true;
}
