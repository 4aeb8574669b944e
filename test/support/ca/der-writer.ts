/** Writes DER, and on request what is not DER, byte by byte: made for tests, independent of how the product encodes. */

/** Tag, length, content. `lengthBytes`: so many bytes behind 0x80 instead of the fewest. */
export function tlv(tag: number, content: Uint8Array | readonly Uint8Array[], lengthBytes?: number): Uint8Array {
  const bytes = content instanceof Uint8Array ? content : Buffer.concat(content);
  return concat(Uint8Array.of(tag), lengthOf(bytes.length, lengthBytes), bytes);
}

function lengthOf(length: number, lengthBytes: number | undefined): Uint8Array {
  if (lengthBytes === undefined && length < 0x80) return Uint8Array.of(length);
  const digits: number[] = [];
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) digits.unshift(rest % 256);
  while (digits.length < (lengthBytes ?? 0)) digits.unshift(0);
  return Uint8Array.of(0x80 | digits.length, ...digits);
}

export function concat(...parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}

export function hex(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text.replaceAll(" ", ""), "hex"));
}

export const seq = (...parts: readonly Uint8Array[]): Uint8Array => tlv(0x30, parts);
export const set = (...parts: readonly Uint8Array[]): Uint8Array => tlv(0x31, parts);
export const octets = (...parts: readonly Uint8Array[]): Uint8Array => tlv(0x04, parts);
export const bits = (bytes: Uint8Array, unused = 0): Uint8Array => tlv(0x03, [Uint8Array.of(unused), bytes]);
export const bool = (value: boolean): Uint8Array => Uint8Array.of(1, 1, value ? 0xff : 0);
export const nothing = Uint8Array.of(5, 0);
export const text = (tag: number, value: string): Uint8Array => tlv(tag, Buffer.from(value, "utf8"));

/** A positive INTEGER, minimal. */
export function integer(value: bigint | number): Uint8Array {
  const digits = value.toString(16);
  const padded = digits.length % 2 === 1 ? `0${digits}` : digits;
  return tlv(0x02, hex(Number.parseInt(padded.slice(0, 2), 16) >= 0x80 ? `00${padded}` : padded));
}

export function oid(dotted: string): Uint8Array {
  const [first, second, ...rest] = dotted.split(".").map(BigInt);
  const bytes = [first! * 40n + second!, ...rest].flatMap((arc) => {
    const digits = [Number(arc & 0x7fn)];
    for (let left = arc >> 7n; left > 0n; left >>= 7n) digits.unshift(Number(left & 0x7fn) | 0x80);
    return digits;
  });
  return tlv(0x06, Uint8Array.from(bytes));
}
