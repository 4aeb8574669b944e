import { listInSteps, type Steps } from "../steps.ts";
import { ByteWriter } from "./byte-writer.ts";
import type { Input, Numbering, Output, Shape } from "./shape.ts";

/** Values that stand once in the bytes. Equal values have one number, whether or not they are one object. */
export class InternedTableWriter<T extends object> implements Numbering<T> {
  readonly #shape: Shape<T>;
  readonly #tables: () => Output["tables"];
  readonly #items = new ByteWriter();
  readonly #scratch = new ByteWriter();
  readonly #numbers = new Map<T, number>();
  readonly #numbersByBytes = new Map<string, number>();

  /** `tables` are asked for when the first value comes, as the tables of one rule set refer to each other. */
  constructor(shape: Shape<T>, tables: () => Output["tables"]) {
    this.#shape = shape;
    this.#tables = tables;
  }

  numberOf(value: T): number {
    let number = this.#numbers.get(value);
    if (number === undefined) {
      number = this.#numberOfEqual(value);
      this.#numbers.set(value, number);
    }
    return number;
  }

  writeTo(out: ByteWriter): void {
    out.uint(this.#numbersByBytes.size);
    out.raw(this.#items.toBytes());
  }

  #numberOfEqual(value: T): number {
    const scratch = this.#scratch;
    scratch.clear();
    this.#shape.write({ bytes: scratch, tables: this.#tables() }, value);
    const key = scratch.toText();
    const known = this.#numbersByBytes.get(key);
    if (known !== undefined) return known;
    const number = this.#numbersByBytes.size;
    this.#numbersByBytes.set(key, number);
    this.#items.raw(scratch.toBytes());
    return number;
  }
}

export function readInternedTable<T>(shape: Shape<T>, input: Input): Steps<readonly T[]> {
  return listInSteps(input.bytes.count(), () => shape.read(input));
}
