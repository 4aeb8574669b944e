import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";

/** Reads a message's fields of length-delimited type one after the other; `take` answers false for one that it has not read, and which is passed over. Throws for bytes that are no message. */
export function eachField(bytes: Uint8Array, take: (field: number, reader: BinaryReader) => boolean): void {
  const reader = new BinaryReader(bytes);
  while (reader.pos < reader.len) {
    const [field, type] = reader.tag();
    if (type !== WireType.LengthDelimited || !take(field, reader)) reader.skip(type, field);
  }
}
