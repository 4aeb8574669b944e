/** The text as a byte string: characters up to U+00FF are bytes already, others are written as UTF-8. */
export function asBytes(text: string): string {
  let out = "";
  for (const character of text) {
    out += character.codePointAt(0)! <= 0xff ? character : Buffer.from(character, "utf8").toString("latin1");
  }
  return out;
}

/** ASCII lower case. */
export function fold(text: string): string {
  return text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}

/** A control character other than the tab: what no header value may hold. */
export function hasControl(bytes: string): boolean {
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes.charCodeAt(i);
    if ((byte < 0x20 && byte !== 0x09) || byte === 0x7f) return true;
  }
  return false;
}

/** As `hasControl`, or white space: what no request target may hold. */
export function hasControlOrSpace(bytes: string): boolean {
  return hasControl(bytes) || /[\t ]/.test(bytes);
}

/** Spaces and tabs at both ends taken off, as HTTP/1 does with values. */
export function trim(value: string): string {
  return value.replace(/^[ \t]+|[ \t]+$/g, "");
}

const beyondAscii =
  /[\xc2-\xdf][\x80-\xbf]|\xe0[\xa0-\xbf][\x80-\xbf]|[\xe1-\xec\xee\xef][\x80-\xbf]{2}|\xed[\x80-\x9f][\x80-\xbf]|\xf0[\x90-\xbf][\x80-\xbf]{2}|[\xf1-\xf3][\x80-\xbf]{3}|\xf4[\x80-\x8f][\x80-\xbf]{2}|([\x80-\xff])/g;

/** Envoy puts `!` for every byte that is not part of UTF-8 text where a message wants text. */
export function sanitize(bytes: string): string {
  return bytes.replace(beyondAscii, (text, stray: string | undefined) => (stray === undefined ? text : "!"));
}
