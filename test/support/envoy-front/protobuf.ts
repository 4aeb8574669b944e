/**
 * The protobuf wire format, as much as one CheckRequest and one CheckResponse take. Texts are byte strings. Not the
 * product's codec and not generated: a second opinion about the bytes.
 */

/** A message under construction. Fields that hold their default value are left out, as proto3 encoders do. */
export class MessageWriter {
  readonly #parts: Uint8Array[] = [];

  text(field: number, value: string): this {
    if (value !== "") this.#delimited(field, Buffer.from(value, "latin1"));
    return this;
  }

  unsigned(field: number, value: number): this {
    if (value !== 0) this.#parts.push(varint(field * 8), varint(value));
    return this;
  }

  /** An embedded message; an empty one is written too. */
  message(field: number, value: MessageWriter): this {
    this.#delimited(field, value.bytes());
    return this;
  }

  /** An entry of a map of strings. */
  entry(field: number, key: string, value: string): this {
    return this.message(field, new MessageWriter().text(1, key).text(2, value));
  }

  bytes(): Uint8Array {
    return Buffer.concat(this.#parts);
  }

  #delimited(field: number, content: Uint8Array): void {
    this.#parts.push(varint(field * 8 + 2), varint(content.length), content);
  }
}

/** One field of a message as it stands on the wire. */
export interface WireField {
  readonly number: number;
  /** Varints as a number, length-delimited content as bytes; fixed-width fields as their bytes. */
  readonly value: number | Uint8Array;
}

/** The fields of a message in order. Throws on bytes that are no message: Envoy refuses the whole of such an answer. */
export function readFields(bytes: Uint8Array): readonly WireField[] {
  const fields: WireField[] = [];
  let at = 0;
  const next = (): number => {
    let value = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = bytes[at++];
      if (byte === undefined) throw new Error("the message ends within a number");
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
    throw new Error("a number of more than ten bytes");
  };
  const take = (length: number): Uint8Array => {
    if (at + length > bytes.length) throw new Error("the message ends within a field");
    at += length;
    return bytes.subarray(at - length, at);
  };
  while (at < bytes.length) {
    const tag = next();
    const number = Math.floor(tag / 8);
    if (number === 0) throw new Error("field number zero");
    const type = tag % 8;
    if (type === 0) fields.push({ number, value: next() });
    else if (type === 1) fields.push({ number, value: take(8) });
    else if (type === 2) fields.push({ number, value: take(next()) });
    else if (type === 5) fields.push({ number, value: take(4) });
    else throw new Error(`wire type ${type}`);
  }
  return fields;
}

/** The last embedded message under that number, merged as protobuf merges repeated occurrences; undefined when there is none. */
export function messageIn(fields: readonly WireField[], number: number): readonly WireField[] | undefined {
  const parts = messagesIn(fields, number);
  return parts.length === 0 ? undefined : parts.flat();
}

/** Every embedded message under that number. */
export function messagesIn(fields: readonly WireField[], number: number): readonly (readonly WireField[])[] {
  return fields
    .filter((field) => field.number === number && typeof field.value !== "number")
    .map((field) => readFields(field.value as Uint8Array));
}

/** The last number under that field number, or zero. */
export function numberIn(fields: readonly WireField[] | undefined, number: number): number {
  const value = fields?.findLast((field) => field.number === number)?.value;
  return typeof value === "number" ? value : 0;
}

/** The last text under that number as a byte string, or `""`. Throws when it is not UTF-8, as a proto3 parser does. */
export function textIn(fields: readonly WireField[] | undefined, number: number): string {
  return textsIn(fields, number).at(-1) ?? "";
}

/** Every text under that number. */
export function textsIn(fields: readonly WireField[] | undefined, number: number): readonly string[] {
  return (fields ?? [])
    .filter((field) => field.number === number && typeof field.value !== "number")
    .map((field) => {
      utf8.decode(field.value as Uint8Array);
      return Buffer.from(field.value as Uint8Array).toString("latin1");
    });
}

const utf8 = new TextDecoder("utf-8", { fatal: true });

const oneByte = Array.from({ length: 0x80 }, (_, value) => Uint8Array.of(value));

function varint(value: number): Uint8Array {
  if (value < 0x80) return oneByte[value]!;
  const out: number[] = [];
  let rest = value;
  while (rest > 0x7f) {
    out.push((rest % 128) | 0x80);
    rest = Math.floor(rest / 128);
  }
  out.push(rest);
  return Uint8Array.from(out);
}
