import type { FieldValues, OperationField, RuleDocument, SourceField } from "#policy-compiler/document/model";
import { parseConditionKey } from "#policy-compiler/document/values/condition-key";
import type { Span } from "#policy-compiler/source/diagnostic";
import type { RuleSubject } from "./rule.ts";

/**
 * On a TCP port Istio's compiler drops from a DENY rule what only HTTP can answer, and the rule matches more.
 * Two questions about that: where Istio's own validation warns, and where it would have had reason to.
 */

/** Source fields by which Istio's check believes that a rule speaks of TCP too. `trustDomains` is missing there. */
const countedByIstio: readonly SourceField[] = [
  "principals",
  "namespaces",
  "serviceAccounts",
  "ipBlocks",
  "remoteIpBlocks",
];

const httpSourceFields: readonly SourceField[] = ["requestPrincipals"];
const httpOperationFields: readonly OperationField[] = ["hosts", "methods", "paths"];

/** The place in a DENY rule that Istio's validation warns of, or undefined. It looks at the rule's items together. */
export function widenedByIstiosCheck({ policy, rule }: RuleSubject): Span | undefined {
  if (policy.action.value !== "DENY") return undefined;
  const sources = rule.from.flatMap(({ source }) => (source === undefined ? [] : [source]));
  const operations = rule.to.flatMap(({ operation }) => (operation === undefined ? [] : [operation]));
  const [firstSource] = sources;
  const [firstOperation] = operations;
  if (firstOperation !== undefined) {
    return operations.some(({ fields }) => isSet(fields.ports)) ? undefined : firstOperation.span;
  }
  if (firstSource === undefined) return undefined;
  const speaksOfTcp = sources.some(({ fields }) => countedByIstio.some((field) => isSet(fields[field])));
  return speaksOfTcp ? undefined : firstSource.span;
}

/**
 * The first condition of a DENY rule that is dropped on TCP ports which the rule does not name, where Istio's check does not warn:
 * an item among others, an HTTP field beside one of TCP, or an HTTP condition. Undefined when there is none.
 */
export function widenedUnwarned(subject: RuleSubject): Span | undefined {
  const { rule } = subject;
  if (widenedByIstiosCheck(subject) !== undefined || !deniesOnEveryPort(subject)) return undefined;
  for (const { operation } of withoutPorts(rule)) {
    for (const field of httpOperationFields) {
      const span = firstSpan(operation?.fields[field]);
      if (span !== undefined) return span;
    }
  }
  return droppedElsewhere(rule);
}

/** Is it a DENY rule that holds on ports which it does not name? */
export function deniesOnEveryPort({ policy, rule }: RuleSubject): boolean {
  if (policy.action.value !== "DENY") return false;
  const asksForPort = rule.when.some(
    ({ key, values, notValues }) => key?.value === "destination.port" && values.length + notValues.length > 0,
  );
  return !asksForPort && (rule.to.length === 0 || withoutPorts(rule).length > 0);
}

function withoutPorts(rule: RuleDocument): RuleDocument["to"] {
  return rule.to.filter(({ operation }) => !isSet(operation?.fields.ports));
}

function droppedElsewhere(rule: RuleDocument): Span | undefined {
  for (const { source } of rule.from) {
    for (const field of httpSourceFields) {
      const span = firstSpan(source?.fields[field]);
      if (span !== undefined) return span;
    }
  }
  for (const { key } of rule.when) {
    if (key === undefined) continue;
    const parsed = parseConditionKey(key.value);
    if (parsed.kind === "known" && parsed.httpOnly) return key.span;
  }
  return undefined;
}

function isSet(field: FieldValues | undefined): boolean {
  return firstSpan(field) !== undefined;
}

function firstSpan(field: FieldValues | undefined): Span | undefined {
  return field?.values[0]?.span ?? field?.notValues[0]?.span;
}
