/**
 * As much of DER (X.690) as writing a certificate takes. Content is bytes; texts are byte strings.
 */

export type Der = Uint8Array;

const universal = { boolean: 0x01, integer: 0x02, bits: 0x03, octets: 0x04, oid: 0x06, utf8: 0x0c, set: 0x31 } as const;

export function sequence(...items: readonly Der[]): Der {
  return element(0x30, ...items);
}

export function set(...items: readonly Der[]): Der {
  return element(universal.set, ...items);
}

/** `[n]` with content inside as it is (constructed) or bare (primitive). */
export function tagged(tag: number, constructed: boolean, ...content: readonly Uint8Array[]): Der {
  return element((constructed ? 0xa0 : 0x80) | tag, ...content);
}

/** A non-negative integer below 2^31. */
export function integer(value: number): Der {
  const bytes: number[] = [];
  for (let rest = value; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256);
  if (bytes.length === 0 || bytes[0]! > 0x7f) bytes.unshift(0);
  return element(universal.integer, Uint8Array.from(bytes));
}

export function oid(dotted: string): Der {
  const [first = 0, second = 0, ...rest] = dotted.split(".").map(Number);
  const bytes = [first * 40 + second];
  for (const arc of rest) {
    const groups = [arc % 128];
    for (let left = Math.floor(arc / 128); left > 0; left = Math.floor(left / 128)) groups.unshift((left % 128) | 0x80);
    bytes.push(...groups);
  }
  return element(universal.oid, Uint8Array.from(bytes));
}

export function utf8(bytes: Uint8Array): Der {
  return element(universal.utf8, bytes);
}

export function octets(content: Uint8Array): Der {
  return element(universal.octets, content);
}

export function bits(content: Uint8Array): Der {
  return element(universal.bits, Uint8Array.of(0), content);
}

export function truth(value: boolean): Der {
  return element(universal.boolean, Uint8Array.of(value ? 0xff : 0));
}

/** GeneralizedTime: `20260101000000Z`. */
export function time(text: string): Der {
  return element(0x18, Buffer.from(text, "latin1"));
}

function element(tag: number, ...content: readonly Uint8Array[]): Der {
  const body = Buffer.concat(content);
  const size: number[] = [];
  if (body.length < 0x80) size.push(body.length);
  else {
    for (let rest = body.length; rest > 0; rest = Math.floor(rest / 256)) size.unshift(rest % 256);
    size.unshift(0x80 | size.length);
  }
  return Buffer.concat([Uint8Array.of(tag, ...size), body]);
}
