import type { DescField, DescMessage } from "@bufbuild/protobuf";
import { ScalarType } from "@bufbuild/protobuf";

/** What is wrong with a message on the wire. `exceptions`: points in which protobuf-es is laxer than the lean decoder. */
export type WireProblem = "malformed" | keyof typeof exceptions;

export const exceptions = {
  "wire-type": "a known field with another wire type than its own (protobuf-es reads it as if it had its own)",
  group: "a group (protobuf-es passes over it)",
  overrun: "a field that runs past the end of its message, but not of the whole (protobuf-es does not look)",
  varint: "a varint of more than 10 bytes in an unknown field, or a length of more than 32 bits (protobuf-es cuts it)",
} as const;

class Problem extends Error {
  readonly problem: WireProblem;
  constructor(problem: WireProblem) {
    super(problem);
    this.problem = problem;
  }
}

/**
 * The first problem of a message by the protobuf encoding's own words, read from descriptors and with no code in common with either
 * decoder; undefined if there is none. How deep messages are nested is not looked at.
 */
export function wireProblem(schema: DescMessage, bytes: Uint8Array): WireProblem | undefined {
  try {
    walk(bytes, { at: 0 }, bytes.length, (no) => schema.fields.find(({ number }) => number === no));
    return undefined;
  } catch (error) {
    if (error instanceof Problem) return error.problem;
    throw error;
  }
}

type Place = { at: number };
type Lookup = (no: number) => DescField | EntryField | undefined;
/** The key or value of a map entry, which has no descriptor of its own. */
interface EntryField {
  readonly scalar?: ScalarType | undefined;
  readonly message?: DescMessage | undefined;
}

function walk(bytes: Uint8Array, place: Place, end: number, fieldOf: Lookup): void {
  while (place.at < end) {
    const tag = varint(bytes, place, end, 5, "malformed");
    if (tag > 0xffffffffn || tag >> 3n === 0n || (tag & 7n) > 5n) throw new Problem("malformed");
    const wireType = Number(tag & 7n);
    const field = fieldOf(Number(tag >> 3n));
    if (field !== undefined && wireType !== declaredWireType(field)) throw new Problem("wire-type");
    if (wireType === 3 || wireType === 4) throw new Problem("group");
    if (wireType === 0) {
      varint(bytes, place, end, 10, field === undefined ? "varint" : "malformed");
    } else if (wireType === 1 || wireType === 5) {
      advance(bytes, place, end, BigInt(wireType === 1 ? 8 : 4));
    } else {
      const length = varint(bytes, place, end, 10, "malformed");
      if (length > 0xffffffffn) throw new Problem("varint");
      const start = place.at;
      advance(bytes, place, end, length);
      if (field !== undefined) inside(bytes, start, place.at, field);
    }
  }
}

function inside(bytes: Uint8Array, start: number, end: number, field: DescField | EntryField): void {
  if ("fieldKind" in field && field.fieldKind === "map") {
    const value: EntryField = { scalar: field.scalar, message: field.message };
    walk(bytes, { at: start }, end, (no) => (no === 1 ? { scalar: field.mapKey } : no === 2 ? value : undefined));
  } else if (field.message !== undefined) {
    const { fields } = field.message;
    walk(bytes, { at: start }, end, (no) => fields.find(({ number }) => number === no));
  }
}

function declaredWireType(field: DescField | EntryField): number {
  if ("fieldKind" in field && field.fieldKind === "map") return 2;
  if (field.message !== undefined) return 2;
  switch (field.scalar) {
    case ScalarType.STRING:
    case ScalarType.BYTES:
      return 2;
    case ScalarType.DOUBLE:
      return 1;
    default:
      return 0;
  }
}

function varint(bytes: Uint8Array, place: Place, end: number, longest: number, tooLong: WireProblem): bigint {
  let value = 0n;
  for (let count = 0; count < longest; count++) {
    if (place.at >= end) throw new Problem(end === bytes.length ? "malformed" : "overrun");
    const byte = bytes[place.at++]!;
    value |= BigInt(byte & 0x7f) << BigInt(7 * count);
    if (byte < 0x80) return value;
  }
  throw new Problem(tooLong);
}

function advance(bytes: Uint8Array, place: Place, end: number, length: bigint): void {
  const to = BigInt(place.at) + length;
  if (to > BigInt(bytes.length)) throw new Problem("malformed");
  if (to > BigInt(end)) throw new Problem("overrun");
  place.at = Number(to);
}
