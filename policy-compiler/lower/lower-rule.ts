import type { Action, FieldValues, RuleDocument } from "#policy-compiler/document/model";
import { parseConditionKey } from "#policy-compiler/document/values/condition-key";
import type { Entry, FieldTest, RuleBody, ValueTest } from "#policy-compiler/ruleset/model";
import type { Finding, Located } from "#policy-compiler/source/diagnostic";
import { type FieldRow, operationFields, sourceFields } from "./field-table.ts";
import type { Interner } from "./intern.ts";
import { lowerValue, type ValueScope } from "./lower-value.ts";

export interface RuleContext extends ValueScope {
  readonly action: Action;
  readonly file: string;
  readonly intern: Interner;
  readonly report: (finding: Finding) => void;
}

/** A rule for HTTP and for TCP; undefined where it was dropped. Where nothing differs both are one object. */
export interface LoweredRule {
  readonly http: RuleBody | undefined;
  readonly tcp: RuleBody | undefined;
}

const dropped: LoweredRule = { http: undefined, tcp: undefined };

/**
 * One rule, degraded as Istio's compiler degrades it. A leaf that cannot be made (a value that does not parse, a `when` key with
 * odd brackets, on TCP everything of HTTP) drops the rule of an ALLOW policy, and only itself in the others, so that those
 * match more. An unknown `when` key drops the rule whatever the action.
 */
export function lowerRule(rule: RuleDocument, context: RuleContext): LoweredRule {
  const from = rule.from.map(({ source }) => lowerFields(sourceFields, source?.fields ?? {}, context));
  const to = rule.to.map(({ operation }) => lowerFields(operationFields, operation?.fields ?? {}, context));
  const when = lowerConditions(rule, context);
  if (when === undefined) return dropped;
  const all = [...from.flat(), ...to.flat(), ...when];
  if (context.action === "ALLOW" && all.some(({ incomplete }) => incomplete)) return dropped;
  const http = { to: to.map(httpTests), from: from.map(httpTests), when: httpTests(when) };
  if (!all.some(({ httpOnly }) => httpOnly)) return { http, tcp: http };
  if (context.action === "ALLOW") return { http, tcp: undefined };
  return { http, tcp: { to: to.map(tcpTests), from: from.map(tcpTests), when: tcpTests(when) } };
}

interface LoweredField {
  /** Undefined when no leaf is left. */
  readonly test: FieldTest | undefined;
  readonly httpOnly: boolean;
  /** Some leaf could not be made, for HTTP either. */
  readonly incomplete: boolean;
}

function httpTests(fields: readonly LoweredField[]): Entry {
  return fields.flatMap(({ test }) => test ?? []);
}

function tcpTests(fields: readonly LoweredField[]): Entry {
  return fields.flatMap(({ test, httpOnly }) => (httpOnly ? [] : (test ?? [])));
}

function lowerFields<Name extends string>(
  table: Readonly<Record<Name, FieldRow>>,
  fields: Partial<Record<Name, FieldValues>>,
  context: RuleContext,
): readonly LoweredField[] {
  const lowered: LoweredField[] = [];
  for (const name of Object.keys(table) as Name[]) {
    const values = fields[name];
    if (values !== undefined && hasValues(values)) lowered.push(lowerField(name, table[name], values, context));
  }
  return lowered;
}

/** The `when` list, or undefined when it holds a key that Istio does not know. */
function lowerConditions(rule: RuleDocument, context: RuleContext): readonly LoweredField[] | undefined {
  const lowered: LoweredField[] = [];
  for (const condition of rule.when) {
    const text = condition.key?.value ?? "";
    const key = parseConditionKey(text);
    if (key.kind === "unknown" || key.kind === "retired") {
      const message = `expected an attribute that Istio has, found \`${text}\`, and the rule would be left out`;
      const span = condition.key?.span ?? condition.span;
      context.report({ code: "lowering/unknown-attribute", message, file: context.file, span });
      return undefined;
    }
    if (!hasValues(condition)) continue;
    if (key.kind === "known") lowered.push(lowerField(text, key, condition, context));
    // Validation has said it: the one fault of a key that Istio's validation takes and its compiler does not.
    else lowered.push({ test: undefined, httpOnly: false, incomplete: true });
  }
  return lowered;
}

function hasValues(field: FieldValues): boolean {
  return field.values.length > 0 || field.notValues.length > 0;
}

function lowerField(name: string, row: FieldRow, written: FieldValues, context: RuleContext): LoweredField {
  const positive = lowerValues(name, row, written.values, context);
  const negative = lowerValues(name, row, written.notValues, context);
  const incomplete = positive.incomplete || negative.incomplete;
  const { httpOnly } = row;
  if (positive.tests.length === 0 && negative.tests.length === 0) return { test: undefined, httpOnly, incomplete };
  const test = context.intern.field({
    field: name,
    attribute: row.attribute,
    values: positive.tests,
    notValues: negative.tests,
    texts: positive.texts,
    notTexts: negative.texts,
  });
  return { test, httpOnly, incomplete };
}

interface LoweredValues {
  readonly tests: readonly ValueTest[];
  readonly texts: readonly string[];
  readonly incomplete: boolean;
}

function lowerValues(
  name: string,
  row: FieldRow,
  values: readonly Located<string>[],
  context: RuleContext,
): LoweredValues {
  const tests = new Set<ValueTest>();
  const texts: string[] = [];
  let incomplete = false;
  for (const { value, span } of values) {
    const lowered = lowerValue(row.syntax, value, context);
    if (lowered.foreign !== undefined) {
      const message = `\`${lowered.foreign}\` of the principal \`${value}\` is no trust domain of the mesh nor one of its aliases`;
      const help = "the value is kept as written and matches only a peer of that trust domain";
      context.report({ code: "lowering/foreign-trust-domain", message, file: context.file, span, help });
    }
    if (lowered.tests === undefined) {
      incomplete = true;
      const message = `expected a value that \`${name}\` can be tested for, found \`${value}\`, which would be left out`;
      context.report({ code: "lowering/value-not-compiled", message, file: context.file, span });
      continue;
    }
    for (const test of lowered.tests) tests.add(context.intern.value(test));
    texts.push(value);
  }
  return { tests: [...tests], texts, incomplete };
}
