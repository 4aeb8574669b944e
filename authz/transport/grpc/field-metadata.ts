import type { CallMetadata } from "#authz/check/contract";

const none: readonly never[] = [];

/**
 * A call's metadata as it stands in the header fields of its stream: names (lower case) and values in turn. Values are byte strings (Latin-1), each field by itself, so that
 * one that was sent twice is seen twice; those of binary names (`-bin`) are not handed out. PERF: fields are few, and are compared where they lie; nothing is
 * made of those that nobody asks for (`bench/grpc.ts`).
 */
export class FieldMetadata implements CallMetadata {
  readonly #fields: readonly string[];

  constructor(fields: readonly string[]) {
    this.#fields = fields;
  }

  get(name: string): readonly string[] {
    const fields = this.#fields;
    let values: readonly string[] | string[] = none;
    for (let i = 0; i < fields.length; i += 2) {
      if (fields[i] !== name) continue;
      if (values.length === 0) values = [fields[i + 1]!];
      else (values as string[]).push(fields[i + 1]!);
    }
    return values.length > 0 && name.endsWith("-bin") ? none : values;
  }
}
