import type { Attribute, FieldTest, ValueTest } from "#policy-compiler/ruleset/model";
import { type ByteReader, Malformed } from "./byte-reader.ts";
import type { ByteWriter } from "./byte-writer.ts";
import type { StringTable, StringTableWriter } from "./string-table.ts";

/** Gives a value the number under which a table holds it. */
export interface Numbering<T> {
  numberOf(value: T): number;
}

/** Where values are written to: bytes, and the tables of what stands only once. */
export interface Output {
  readonly bytes: ByteWriter;
  readonly tables: {
    readonly strings: StringTableWriter;
    readonly attributes: Numbering<Attribute>;
    readonly values: Numbering<ValueTest>;
    readonly fields: Numbering<FieldTest>;
  };
}

/** Where values are read from. A table is empty until it was read. */
export interface Input {
  readonly bytes: ByteReader;
  readonly tables: {
    readonly strings: StringTable;
    readonly attributes: readonly Attribute[];
    readonly values: readonly ValueTest[];
    readonly fields: readonly FieldTest[];
  };
}

/**
 * How one type of value stands in bytes, both ways in one place. `read` throws `Malformed` on anything that `write` cannot
 * have written.
 */
export interface Shape<T> {
  write(out: Output, value: T): void;
  read(input: Input): T;
}

/** A whole number from 0 to 2^53 - 1. */
export const uint: Shape<number> = {
  write: (out, value) => out.bytes.uint(value),
  read: (input) => input.bytes.uint(),
};

/** A whole number below `limit`. */
export function below(limit: number, what: string): Shape<number> {
  return { write: uint.write, read: (input) => input.bytes.below(limit, what) };
}

export const port: Shape<number> = below(65536, "a port");

export const boolean: Shape<boolean> = {
  write: (out, value) => out.bytes.uint(value ? 1 : 0),
  read: (input) => input.bytes.below(2, "a boolean") === 1,
};

export const text: Shape<string> = {
  write: (out, value) => out.bytes.uint(out.tables.strings.text(value)),
  read: (input) => input.tables.strings.text(input.bytes.uint()),
};

export const byteString: Shape<string> = {
  write: (out, value) => out.bytes.uint(out.tables.strings.byteString(value)),
  read: (input) => input.tables.strings.byteString(input.bytes.uint()),
};

/** One of a closed list of words. */
export function word<T extends string>(words: readonly T[]): Shape<T> {
  return {
    write: (out, value) => out.bytes.uint(words.indexOf(value)),
    read: (input) => words[input.bytes.below(words.length, "a word")]!,
  };
}

export function optional<T>(shape: Shape<T>): Shape<T | undefined> {
  return {
    write(out, value) {
      out.bytes.uint(value === undefined ? 0 : 1);
      if (value !== undefined) shape.write(out, value);
    },
    read: (input) => (input.bytes.below(2, "a presence") === 1 ? shape.read(input) : undefined),
  };
}

/** One empty list for all: most lists of a rule set are. */
const empty: readonly never[] = [];

export function list<T>(shape: Shape<T>): Shape<readonly T[]> {
  return {
    write(out, values) {
      out.bytes.uint(values.length);
      for (const value of values) shape.write(out, value);
    },
    read(input) {
      const count = input.bytes.count();
      if (count === 0) return empty;
      // PERF: a list that grows item by item keeps room for sixteen more; most have one item.
      if (count === 1) return [shape.read(input)];
      const values = new Array<T>(count);
      for (let i = 0; i < count; i++) values[i] = shape.read(input);
      return values;
    },
  };
}

export function pair<A, B>(first: Shape<A>, second: Shape<B>): Shape<readonly [A, B]> {
  return {
    write(out, [a, b]) {
      first.write(out, a);
      second.write(out, b);
    },
    read: (input) => [first.read(input), second.read(input)],
  };
}

/** An object with exactly these members, in the order of `members`. */
export function record<T extends object>(members: { readonly [K in keyof T]-?: Shape<T[K]> }): Shape<T> {
  const entries = Object.entries(members) as [keyof T, Shape<T[keyof T]>][];
  return {
    write(out, value) {
      for (const [name, shape] of entries) shape.write(out, value[name]);
    },
    read(input) {
      const value: Partial<T> = {};
      for (const [name, shape] of entries) value[name] = shape.read(input);
      return value as T;
    },
  };
}

/** Values that break an invariant are read from no bytes, and written to none. */
export function checked<T>(shape: Shape<T>, faultOf: (value: T) => string | undefined): Shape<T> {
  return {
    write(out, value) {
      const fault = faultOf(value);
      if (fault !== undefined) throw new Error(`a rule set cannot be written: ${fault}`);
      shape.write(out, value);
    },
    read(input) {
      const value = shape.read(input);
      const fault = faultOf(value);
      if (fault !== undefined) throw new Malformed(fault);
      return value;
    },
  };
}

/** A value of a table, written as its number: equal values are one object after reading. */
export function interned<Name extends "attributes" | "values" | "fields">(
  name: Name,
): Shape<Input["tables"][Name][number]> {
  return {
    write(out, value) {
      const table: Numbering<never> = out.tables[name];
      out.bytes.uint(table.numberOf(value as never));
    },
    read(input) {
      const value = input.tables[name][input.bytes.uint()];
      if (value === undefined) throw new Malformed("a value is not in its table");
      return value;
    },
  };
}

type Without<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;

/** A closed union by its `tag` member: the other members of each variant. A variant's number is its place in `variants`. */
export function union<T extends object, K extends keyof T>(
  tag: K,
  variants: { readonly [V in T[K] & string]: Shape<Without<Extract<T, Record<K, V>>, K>> },
): Shape<T> {
  const names = Object.keys(variants);
  const shapes = Object.values<Shape<object>>(variants as Readonly<Record<string, Shape<object>>>);
  return {
    write(out, value) {
      const number = names.indexOf(String(value[tag]));
      out.bytes.uint(number);
      shapes[number]!.write(out, value);
    },
    read(input) {
      const number = input.bytes.below(names.length, `a ${String(tag)}`);
      return { [tag]: names[number]!, ...shapes[number]!.read(input) } as T;
    },
  };
}
