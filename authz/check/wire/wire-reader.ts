import { constants } from "node:buffer";
import type { ByteString } from "#policy-compiler/ruleset/model";

/** Why a message is no protobuf message of the type wanted. Caught by `decodeCheckRequest`, never seen outside. */
export class WireFault extends Error {}

/** Nested messages allowed inside each other, the outermost included; protobuf's own default. */
export const MAX_DEPTH = 100;

/** Map entries, header lines and metadata values allowed in one message together: a few bytes of it cannot become megabytes here. */
export const MAX_ENTRIES = 65_536;

/** Wire types of the protobuf encoding that these messages use. Groups (3 and 4) do not exist in proto3 and are refused. */
const VARINT = 0;
const FIXED64 = 1;
const BYTES = 2;
const FIXED32 = 5;

/** `fieldTag(4)` is the tag of a length-delimited field 4, as `WireReader.tag` returns it. */
export const fieldTag = (field: number): number => (field << 3) | BYTES;
/** The tag of a varint field. */
export const varintTag = (field: number): number => (field << 3) | VARINT;

/**
 * A cursor over the bytes of one message.
 *
 * INVARIANT: no method reads at or beyond the `limit` it is given, `position` never passes it, and every method either moves
 * `position` forward or raises `WireFault`; so any walk over a message ends, in time linear in its length.
 */
export class WireReader {
  readonly bytes: Uint8Array;
  /** The same bytes as one Latin-1 string: a text is a substring of it. */
  readonly slab: string;
  position = 0;
  #entries = 0;

  constructor(bytes: Uint8Array) {
    if (bytes.length > constants.MAX_STRING_LENGTH) throw new WireFault("the message is larger than a string can be");
    this.bytes = bytes;
    this.slab = asBuffer(bytes).toString("latin1");
  }

  /** The next field's tag, or 0 at `limit`. */
  tag(limit: number): number {
    const start = this.position;
    if (start >= limit) return 0;
    let byte = this.bytes[start] as number;
    let tag = byte;
    if (byte < 0x80) {
      this.position = start + 1;
    } else {
      tag = byte & 0x7f;
      let position = start + 1;
      for (let shift = 7; ; shift += 7) {
        if (position >= limit) throw new WireFault("the message ends inside a tag");
        byte = this.bytes[position++] as number;
        if (shift === 28 && byte > 0x0f) throw new WireFault("a tag is longer than 32 bits");
        tag = (tag | ((byte & 0x7f) << shift)) >>> 0;
        if (byte < 0x80) break;
      }
      this.position = position;
    }
    if (tag < 8) throw new WireFault("field number 0");
    return tag;
  }

  /** Reads a length and returns where that many bytes end. `position` is then where they begin. */
  enter(limit: number): number {
    const first = this.position;
    let length = first < limit ? (this.bytes[first] as number) : 0x80;
    if (length < 0x80) {
      this.position = first + 1;
    } else {
      length = this.longVarint(limit);
    }
    const end = this.position + length;
    if (end > limit) throw new WireFault("a field runs past the end of its message");
    return end;
  }

  /** Reads a length-delimited value and returns where it begins; it ends at `position`. */
  span(limit: number): number {
    const end = this.enter(limit);
    const start = this.position;
    this.position = end;
    return start;
  }

  /** Reads a text as its bytes. */
  text(limit: number): ByteString {
    const start = this.span(limit);
    return this.slab.substring(start, this.position);
  }

  /** Counts one more entry against `MAX_ENTRIES`. */
  countEntry(): void {
    if (++this.#entries > MAX_ENTRIES) throw new WireFault(`more than ${MAX_ENTRIES} headers and map entries`);
  }

  /** A varint as protobuf reads it into 32 bits: the higher ones are dropped. */
  uint32(limit: number): number {
    let low = 0;
    for (let count = 0; count < 10; count++) {
      if (this.position >= limit) throw new WireFault("the message ends inside a varint");
      const byte = this.bytes[this.position++] as number;
      if (count < 5) low |= (byte & 0x7f) << (7 * count);
      if (byte < 0x80) return low >>> 0;
    }
    throw new WireFault("a varint is longer than 10 bytes");
  }

  /**
   * Passes over a field that is not read. `read`: bit n set where the caller reads field n; such a field is here because its
   * wire type is not the declared one. protobuf's parsers would pass it over as unknown: that would make a principal or a
   * header *absent*, so it is refused.
   */
  skip(tag: number, limit: number, read: number): void {
    const field = tag >>> 3;
    const wireType = tag & 7;
    if (field < 32 && ((read >>> field) & 1) === 1) {
      throw new WireFault(`field ${field} has wire type ${wireType}, which is not its own`);
    }
    if (wireType === BYTES) {
      this.span(limit);
    } else if (wireType === VARINT) {
      this.uint32(limit);
    } else if (wireType === FIXED64 || wireType === FIXED32) {
      this.position += wireType === FIXED64 ? 8 : 4;
      if (this.position > limit) throw new WireFault("a field runs past the end of its message");
    } else {
      throw new WireFault(`field ${field} has wire type ${wireType}, which no proto3 message has`);
    }
  }

  /** Passes over the rest of a message of which no field is read. */
  skipMessage(end: number): void {
    for (let tag = this.tag(end); tag !== 0; tag = this.tag(end)) this.skip(tag, end, 0);
  }

  private longVarint(limit: number): number {
    let value = 0;
    let scale = 1;
    for (let count = 0; count < 10; count++) {
      if (this.position >= limit) throw new WireFault("the message ends inside a length");
      const byte = this.bytes[this.position++] as number;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
      scale *= 128;
    }
    throw new WireFault("a varint is longer than 10 bytes");
  }
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
