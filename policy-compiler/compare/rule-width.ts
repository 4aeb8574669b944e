import type {
  ConditionEntry,
  FieldValues,
  OperationEntry,
  OperationField,
  RuleDocument,
  SourceEntry,
  SourceField,
} from "#policy-compiler/document/model";
import { parseConditionKey } from "#policy-compiler/document/values/condition-key";
import { operationFields, sourceFields } from "#policy-compiler/lower/field-table";
import { migratePrincipal } from "#policy-compiler/lower/migrate-trust-domain";
import type { Stage } from "#policy-compiler/ruleset/model";
import { covers, type ValueKind } from "./covers.ts";

/**
 * How what a rule matches has changed. `wider`: whatever matched still does, and more may; `narrower`: the other way round; `same`: both, so that nothing
 * changes; `undecided`: neither is certain, field by field.
 */
export type RuleWidth = "wider" | "narrower" | "same" | "undecided";

/** What the meaning of two rules depends on beside their texts. */
export interface RuleScope {
  readonly stage: Stage;
  /** The mesh's trust domain, then its aliases. */
  readonly trustDomains: readonly string[];
}

/** A principal stands for itself in every trust domain of the mesh, a pattern of it often does not. */
type FieldKind = ValueKind | "principal";

/** A field whose patterns mean something of their own is compared as text. */
const valueKinds: Record<SourceField | OperationField, FieldKind> = {
  principals: "principal",
  requestPrincipals: "same",
  namespaces: "same",
  serviceAccounts: "same",
  ipBlocks: "block",
  remoteIpBlocks: "block",
  trustDomains: "same",
  hosts: "host",
  ports: "same",
  methods: "pattern",
  paths: "path",
};

const conditionKinds: readonly (readonly [key: RegExp, kind: FieldKind])[] = [
  [/^(?:source|remote|destination)\.ip$/, "block"],
  [/^source\.principal$/, "principal"],
  [/^(?:request\.headers\[.*\]|request\.auth\.claims\[.*\]|connection\.sni)$/s, "pattern"],
];

/** Compares two rules of one policy. Sound, not complete: `undecided` says nothing. Answers are not compared: they change no match. */
export function ruleWidth(before: RuleDocument, after: RuleDocument, scope: RuleScope): RuleWidth {
  const [wider, narrower] = [coversRule(after, before, scope), coversRule(before, after, scope)];
  if (wider && narrower) return "same";
  return wider ? "wider" : narrower ? "narrower" : "undecided";
}

/** Does `wide` match whatever `narrow` matches? Alternatives are compared one with one. */
function coversRule(wide: RuleDocument, narrow: RuleDocument, { stage, trustDomains }: RuleScope): boolean {
  const isAllow = stage === "allow" || stage === "dryRunAllow";
  // One alternative that only a request can meet takes the whole ALLOW rule from connections.
  if (isAllow && asksHttp(wide) && !asksHttp(narrow)) return false;
  const coversFields = (all: Fields, some: Fields) =>
    (Object.keys(all) as (keyof Fields)[]).every((name) =>
      coversValues(all[name] ?? nothing, some[name] ?? nothing, valueKinds[name], trustDomains),
    );
  return (
    coversEntries(wide.from.map(sourceOf), narrow.from.map(sourceOf), coversFields) &&
    coversEntries(wide.to.map(operationOf), narrow.to.map(operationOf), coversFields) &&
    wide.when.every((wanted) => narrow.when.some((given) => coversCondition(wanted, given, trustDomains))) &&
    coversExpressions(wide, narrow)
  );
}

type Fields = Readonly<Partial<Record<SourceField | OperationField, FieldValues>>>;

const sourceOf = ({ source }: SourceEntry): Fields => source?.fields ?? {};
const operationOf = ({ operation }: OperationEntry): Fields => operation?.fields ?? {};

/** Has a rule a field or a condition that cannot be asked of a TCP connection? */
function asksHttp({ from, to, when }: RuleDocument): boolean {
  const rows = { ...sourceFields, ...operationFields };
  const isHttp = (fields: Fields) =>
    (Object.keys(fields) as (keyof Fields)[]).some((name) => rows[name].httpOnly && hasValues(fields[name]!));
  return (
    from.map(sourceOf).some(isHttp) ||
    to.map(operationOf).some(isHttp) ||
    when.some((condition) => {
      const key = parseConditionKey(condition.key?.value ?? "");
      return key.kind === "known" && key.httpOnly && hasValues(condition);
    })
  );
}

function hasValues({ values, notValues }: FieldValues): boolean {
  return values.length + notValues.length > 0;
}

/** An empty list asks for nothing; otherwise one of its entries has to fit. */
function coversEntries<T>(
  wide: readonly T[],
  narrow: readonly T[],
  covering: (wide: T, narrow: T) => boolean,
): boolean {
  if (wide.length === 0) return true;
  return narrow.length > 0 && narrow.every((entry) => wide.some((other) => covering(other, entry)));
}

const nothing: FieldValues = { values: [], notValues: [] };

/** (no values, or one matches) and not (one of the others matches). */
function coversValues(
  wide: FieldValues,
  narrow: FieldValues,
  kind: FieldKind,
  trustDomains: readonly string[],
): boolean {
  const textsOf = (list: FieldValues["values"]) =>
    list.flatMap(({ value }) => (kind === "principal" ? migratePrincipal(value, trustDomains).values : value));
  const patterns = kind === "principal" ? "pattern" : kind;
  const within = (list: FieldValues["values"], some: FieldValues["values"]) => {
    const all = new Set(textsOf(list));
    return textsOf(some).every((text) => all.has(text) || [...all].some((other) => covers(other, text, patterns)));
  };
  const taken = wide.values.length === 0 || (narrow.values.length > 0 && within(wide.values, narrow.values));
  return taken && within(narrow.notValues, wide.notValues);
}

function coversCondition(wide: ConditionEntry, narrow: ConditionEntry, trustDomains: readonly string[]): boolean {
  const key = wide.key?.value;
  if (key === undefined || key !== narrow.key?.value) return false;
  const kind = conditionKinds.find(([keys]) => keys.test(key))?.[1] ?? "same";
  return coversValues(wide, narrow, kind, trustDomains);
}

/** All expressions have to hold: fewer of them match more. */
function coversExpressions(wide: RuleDocument, narrow: RuleDocument): boolean {
  const given = new Set(narrow.extension?.cel?.expressions.map(({ text }) => text));
  return (wide.extension?.cel?.expressions ?? []).every(({ text }) => given.has(text));
}
