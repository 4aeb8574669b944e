import type { FieldTest, RuleBody } from "#policy-compiler/ruleset/model";
import type { RequestAttributes } from "./attributes.ts";
import { type CompiledField, compileField, type Predicate } from "./field.ts";
import { flattenField, testFlatField } from "./flat-field.ts";
import { and, FALSE, TRUE, type Truth } from "./kleene.ts";

/**
 * A rule body made ready, laid flat. PERF: a check comes to few rules, and to each after much other work, so that what counts is how many
 * places in memory a rule is spread over: one list of small numbers and texts is a fifth of what closures over sets are (`bench/grpc.ts`).
 * The plain version is the rule's fields as `compileField` makes them, which explanations use.
 *
 * A group (`to`, `from`) is `[entries, end, entry …]`, an entry (and `when`) `[fields, end, field …]`, a field `[kind, end, …]`
 * (`flat-field.ts`); `end` is where the next one begins.
 */
export type CompiledBody = readonly FlatItem[];
export type FlatItem = number | string | Predicate;

/** any(to) and any(from) and all(when); an empty `to` or `from` is any. Kleene's logic, so the order of tests cannot show. */
export function testBody(body: CompiledBody, request: RequestAttributes): Truth {
  const to = anyEntry(body, 0, request);
  if (to === FALSE) return FALSE;
  const atFrom = body[1] as number;
  const from = anyEntry(body, atFrom, request);
  if (from === FALSE) return FALSE;
  const when = allFields(body, body[atFrom + 1] as number, request);
  return and(and(to, from), when);
}

function anyEntry(body: CompiledBody, group: number, request: RequestAttributes): Truth {
  const entries = body[group] as number;
  if (entries === 0) return TRUE;
  let result: Truth = FALSE;
  let at = group + 2;
  for (let i = 0; i < entries; i++) {
    const one = allFields(body, at, request);
    if (one === TRUE) return TRUE;
    if (one > result) result = one;
    at = body[at + 1] as number;
  }
  return result;
}

function allFields(body: CompiledBody, entry: number, request: RequestAttributes): Truth {
  const fields = body[entry] as number;
  let result: Truth = TRUE;
  let at = entry + 2;
  for (let i = 0; i < fields; i++) {
    const one = testFlatField(body, at, request);
    if (one === FALSE) return FALSE;
    if (one < result) result = one;
    at = body[at + 1] as number;
  }
  return result;
}

/**
 * Compiles fields and bodies at their first use and keeps them. Equal fields of a rule set are one object, so each is
 * compiled once, however many rules have it.
 */
export class BodyCompiler {
  readonly #fields = new Map<FieldTest, CompiledField>();

  field(field: FieldTest): CompiledField {
    let compiled = this.#fields.get(field);
    if (compiled === undefined) {
      compiled = compileField(field);
      this.#fields.set(field, compiled);
    }
    return compiled;
  }

  body({ to, from, when }: RuleBody): CompiledBody {
    const flat: FlatItem[] = [];
    this.#group(to, flat);
    this.#group(from, flat);
    this.#entry(when, flat);
    // PERF: without the room that growing has left.
    return flat.slice();
  }

  #group(entries: readonly (readonly FieldTest[])[], flat: FlatItem[]): void {
    const at = flat.push(entries.length, 0) - 1;
    for (const entry of entries) this.#entry(entry, flat);
    flat[at] = flat.length;
  }

  #entry(fields: readonly FieldTest[], flat: FlatItem[]): void {
    const at = flat.push(fields.length, 0) - 1;
    for (const field of fields) flattenField(field, () => this.field(field).test, flat);
    flat[at] = flat.length;
  }
}
