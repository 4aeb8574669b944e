<<<<<<< HEAD
/**
 * DER written by hand, for tests: independent of what the authority writes with, and willing to write what nobody should.
 * Everything is a whole element unless it says otherwise.
 */
export function der(tag: number, ...content: readonly Uint8Array[]): Uint8Array {
  const inside = joined(...content);
  return joined(bytes(tag, ...lengthOctets(inside.length)), inside);
}

export function joined(...parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}

export function bytes(...octets: readonly number[]): Uint8Array {
  return Uint8Array.from(octets);
}

export function fromHex(hex: string): Uint8Array {
  return new Uint8Array(Buffer.from(hex.replaceAll(" ", ""), "hex"));
}

export const sequence = (...content: readonly Uint8Array[]) => der(0x30, ...content);
export const set = (...content: readonly Uint8Array[]) => der(0x31, ...content);
export const octets = (...content: readonly Uint8Array[]) => der(0x04, ...content);
export const nothing = () => der(0x05);

/** `value` in as few octets as it takes; bytes are written as they are. */
export function integer(value: number | Uint8Array): Uint8Array {
  if (typeof value !== "number") return der(0x02, value);
  const hex = value.toString(16);
  const even = hex.length % 2 === 0 ? hex : `0${hex}`;
  return der(0x02, fromHex(Number.parseInt(even.slice(0, 2), 16) >= 0x80 ? `00${even}` : even));
}

export const boolean = (value: boolean) => der(0x01, bytes(value ? 0xff : 0));

/** A BIT STRING of whole octets, or with unused bits at its end. */
export const bits = (content: Uint8Array, unused = 0) => der(0x03, bytes(unused), content);

export const utf8 = (text: string) => der(0x0c, new TextEncoder().encode(text));
export const printable = (text: string) => der(0x13, Buffer.from(text, "latin1"));

export function oid(dotted: string): Uint8Array {
  const [first = 0, second = 0, ...arcs] = dotted.split(".").map(Number);
  return der(0x06, ...[first * 40 + second, ...arcs].map(base128));
}

/** A time as a certificate writes it, in the form that its year asks for. */
export function time(millis: number): Uint8Array {
  const digits = new Date(millis).toISOString().replace(/[-:T]|\.\d+/g, "");
  return Number(digits.slice(0, 4)) < 2050 ? utcTime(digits.slice(2)) : generalizedTime(digits);
}

export const utcTime = (text: string) => der(0x17, Buffer.from(text, "latin1"));
export const generalizedTime = (text: string) => der(0x18, Buffer.from(text, "latin1"));

/** Extension of a certificate; `critical` undefined: not written. */
export function extension(dotted: string, critical: boolean | undefined, value: Uint8Array): Uint8Array {
  return sequence(oid(dotted), ...(critical === undefined ? [] : [boolean(critical)]), octets(value));
}

/** A name of attributes, each a relative name of its own. */
export function distinguishedName(...attributes: readonly (readonly [string, Uint8Array])[]): Uint8Array {
  return sequence(...attributes.map(([type, value]) => set(sequence(oid(type), value))));
}

export const organization = "2.5.4.10";
export const commonName = "2.5.4.3";

function base128(arc: number): Uint8Array {
  const octets = [arc % 128];
  for (let rest = Math.floor(arc / 128); rest > 0; rest = Math.floor(rest / 128)) octets.unshift(0x80 | (rest % 128));
  return bytes(...octets);
}

function lengthOctets(length: number): readonly number[] {
  if (length < 0x80) return [length];
  const octets: number[] = [];
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) octets.unshift(rest % 256);
  return [0x80 | octets.length, ...octets];
=======
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
>>>>>>> x509
}
