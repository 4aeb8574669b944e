/** Frame types (RFC 9113 §6). */
const HEADERS = 1;
const RST_STREAM = 3;
const SETTINGS = 4;
const GOAWAY = 7;

/** One HTTP/2 request without a body, its header fields as they are (no check, no folding), as a Latin-1 string of bytes. */
export function http2Request(fields: readonly (readonly [name: string, value: string])[]): string {
  // RFC 7541 §6.2.2: literal fields without indexing, with a new name.
  const block = fields.map(([name, value]) => `\0${text(name)}${text(value)}`).join("");
  return `PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n${frame(SETTINGS, 0, 0, "")}${frame(HEADERS, 0x05, 1, block)}`;
}

/** What the other side made of it so far: an answer's header fields came, or the stream or connection was ended. */
export function http2Fate(received: string): "answered" | "reset" | undefined {
  for (let at = 0; at + 9 <= received.length; ) {
    const length = number(received, at, 3);
    const type = received.charCodeAt(at + 3);
    if (type === HEADERS) return "answered";
    if (type === RST_STREAM || type === GOAWAY) return "reset";
    at += 9 + length;
  }
  return undefined;
}

function frame(type: number, flags: number, stream: number, payload: string): string {
  return `${bytes(payload.length, 3)}${String.fromCharCode(type, flags)}${bytes(stream, 4)}${payload}`;
}

/** A string shorter than 127 bytes, not Huffman coded. */
function text(value: string): string {
  if (value.length >= 127) throw new Error("too long for one byte of length");
  return String.fromCharCode(value.length) + value;
}

function bytes(value: number, width: number): string {
  let out = "";
  for (let i = width - 1; i >= 0; i--) out += String.fromCharCode((value >>> (8 * i)) & 0xff);
  return out;
}

function number(text: string, at: number, width: number): number {
  let value = 0;
  for (let i = 0; i < width; i++) value = value * 256 + (text.charCodeAt(at + i) || 0);
  return value;
}
