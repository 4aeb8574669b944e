import type { FieldTest, RuleBody } from "#policy-compiler/ruleset/model";
import type { RequestAttributes } from "./attributes.ts";
import { type CompiledField, compileField, type Predicate } from "./field.ts";
import { and, FALSE, TRUE, type Truth } from "./kleene.ts";

/** A rule body made ready. */
export interface CompiledBody {
  readonly to: readonly (readonly Predicate[])[];
  readonly from: readonly (readonly Predicate[])[];
  readonly when: readonly Predicate[];
}

/** any(to) and any(from) and all(when); an empty `to` or `from` is any. Kleene's logic, so the order of tests cannot show. */
export function testBody(body: CompiledBody, request: RequestAttributes): Truth {
  const to = anyEntry(body.to, request);
  if (to === FALSE) return FALSE;
  const from = anyEntry(body.from, request);
  if (from === FALSE) return FALSE;
  const when = allFields(body.when, request);
  return and(and(to, from), when);
}

function anyEntry(entries: readonly (readonly Predicate[])[], request: RequestAttributes): Truth {
  if (entries.length === 0) return TRUE;
  let result: Truth = FALSE;
  for (const entry of entries) {
    const one = allFields(entry, request);
    if (one === TRUE) return TRUE;
    if (one > result) result = one;
  }
  return result;
}

function allFields(fields: readonly Predicate[], request: RequestAttributes): Truth {
  let result: Truth = TRUE;
  for (const field of fields) {
    const one = field(request);
    if (one === FALSE) return FALSE;
    if (one < result) result = one;
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

  body(body: RuleBody): CompiledBody {
    const entry = (fields: readonly FieldTest[]) => fields.map((field) => this.field(field).test);
    return { to: body.to.map(entry), from: body.from.map(entry), when: entry(body.when) };
  }
}
