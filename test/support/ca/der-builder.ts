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
}
