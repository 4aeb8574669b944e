import type {
  ConditionEntry,
  FieldValues,
  OperationEntry,
  OperationField,
  RuleDocument,
  SourceEntry,
  SourceField,
} from "#policy-compiler/document/model";
import type { Located } from "#policy-compiler/source/diagnostic";
import { covers, type ValueKind } from "./covers.ts";

/**
 * How what a rule matches has changed. `wider`: whatever matched still does, and more may; `narrower`: the other way round; `same`: both, so that nothing
 * changes; `undecided`: neither is certain, field by field.
 */
export type RuleWidth = "wider" | "narrower" | "same" | "undecided";

/** A field whose patterns mean something of their own is compared as text. */
const valueKinds: Record<SourceField | OperationField, ValueKind> = {
  principals: "pattern",
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

const conditionKinds: readonly (readonly [key: RegExp, kind: ValueKind])[] = [
  [/^(?:source|remote|destination)\.ip$/, "block"],
  [/^(?:request\.headers\[.*\]|request\.auth\.claims\[.*\]|source\.principal|connection\.sni)$/s, "pattern"],
];

/** Compares two rules of one policy. Sound, not complete: `undecided` says nothing. Answers are not compared: they change no match. */
export function ruleWidth(before: RuleDocument, after: RuleDocument): RuleWidth {
  const [wider, narrower] = [coversRule(after, before), coversRule(before, after)];
  if (wider && narrower) return "same";
  return wider ? "wider" : narrower ? "narrower" : "undecided";
}

/** Does `wide` match whatever `narrow` matches? Alternatives are compared one with one. */
function coversRule(wide: RuleDocument, narrow: RuleDocument): boolean {
  return (
    coversEntries(wide.from, narrow.from, coversSource) &&
    coversEntries(wide.to, narrow.to, coversOperation) &&
    wide.when.every((wanted) => narrow.when.some((given) => coversCondition(wanted, given))) &&
    coversExpressions(wide, narrow)
  );
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

function coversSource(wide: SourceEntry, narrow: SourceEntry): boolean {
  return coversFields(wide.source?.fields ?? {}, narrow.source?.fields ?? {});
}

function coversOperation(wide: OperationEntry, narrow: OperationEntry): boolean {
  return coversFields(wide.operation?.fields ?? {}, narrow.operation?.fields ?? {});
}

type Fields = Readonly<Partial<Record<SourceField | OperationField, FieldValues>>>;

function coversFields(wide: Fields, narrow: Fields): boolean {
  return (Object.keys(wide) as (keyof Fields)[]).every((name) =>
    coversValues(wide[name] ?? nothing, narrow[name] ?? nothing, valueKinds[name]),
  );
}

const nothing: FieldValues = { values: [], notValues: [] };

/** (no values, or one matches) and not (one of the others matches). */
function coversValues(wide: FieldValues, narrow: FieldValues, kind: ValueKind): boolean {
  const within = (list: readonly Located<string>[], { value }: Located<string>) =>
    list.some((other) => covers(other.value, value, kind));
  const taken =
    wide.values.length === 0 ||
    (narrow.values.length > 0 && narrow.values.every((value) => within(wide.values, value)));
  return taken && wide.notValues.every((value) => within(narrow.notValues, value));
}

function coversCondition(wide: ConditionEntry, narrow: ConditionEntry): boolean {
  const key = wide.key?.value;
  if (key === undefined || key !== narrow.key?.value) return false;
  const kind = conditionKinds.find(([keys]) => keys.test(key))?.[1] ?? "same";
  return coversValues(wide, narrow, kind);
}

/** All expressions have to hold: fewer of them match more. */
function coversExpressions(wide: RuleDocument, narrow: RuleDocument): boolean {
  const given = new Set(narrow.extension?.cel?.expressions.map(({ text }) => text));
  return (wide.extension?.cel?.expressions ?? []).every(({ text }) => given.has(text));
}
