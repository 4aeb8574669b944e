import type { YamlNode } from "#policy-compiler/yaml/tree";
import {
  decodeExtension,
  extensionFields,
  extensionOriginals,
  refuseExtension,
  withoutExtension,
} from "./decode-extension.ts";
import { decodePlacement, placementOriginals } from "./decode-placement.ts";
import type { Decoding } from "./decoding.ts";
import { twinOf } from "./field-names.ts";
import { garitaGroup } from "./kinds.ts";
import type {
  Action,
  AuthorizationPolicy,
  ConditionEntry,
  DocumentHead,
  FieldValues,
  OperationEntry,
  OperationField,
  RuleDocument,
  SourceEntry,
  SourceField,
} from "./model.ts";
import { type FieldTable, fieldTable, readFields } from "./read-fields.ts";
import { readEnum, readList, readText, readTexts } from "./read-values.ts";

const specFields = fieldTable(
  ["selector", "targetRef", "targetRefs", "rules", "action", "provider"],
  placementOriginals,
);
const providerFields = fieldTable(["name"]);
const ruleFields = fieldTable(["from", "to", "when"]);
const garitaRuleFields = fieldTable(["from", "to", "when", ...extensionFields], extensionOriginals);
const fromFields = fieldTable(["source"]);
const toFields = fieldTable(["operation"]);
const conditionFields = fieldTable(["key", "values", "notValues"]);

/** By number, as in Istio's enumeration. */
const actions: readonly Action[] = ["ALLOW", "DENY", "AUDIT", "CUSTOM"];

const sourceNames: readonly SourceField[] = [
  "principals",
  "requestPrincipals",
  "namespaces",
  "serviceAccounts",
  "ipBlocks",
  "remoteIpBlocks",
  "trustDomains",
];
const operationNames: readonly OperationField[] = ["hosts", "ports", "methods", "paths"];

const sourceValues = valuesTable(sourceNames);
const operationValues = valuesTable(operationNames);

interface ValuesTable<Name extends string> {
  readonly pairs: readonly { readonly name: Name; readonly twin: string }[];
  readonly fields: FieldTable<string>;
}

function valuesTable<Name extends string>(names: readonly Name[]): ValuesTable<Name> {
  const pairs = names.map((name) => ({ name, twin: twinOf(name) }));
  return { pairs, fields: fieldTable(pairs.flatMap(({ name, twin }) => [name, twin])) };
}

/** Decodes the spec of an AuthorizationPolicy: Istio's, or that of our own group, which is the same with more in its rules. */
export function decodeAuthorizationPolicy(
  decoding: Decoding,
  head: DocumentHead,
  spec: YamlNode,
  group: string,
): AuthorizationPolicy {
  const family = group === garitaGroup ? "garita" : "istio";
  const fields = readFields(decoding, spec, specFields, "an AuthorizationPolicy's `spec`") ?? new Map();
  const provider = fields.get("provider");
  return {
    type: "AuthorizationPolicy",
    family,
    head,
    placement: decodePlacement(decoding, fields),
    action: readEnum(decoding, fields.get("action"), "action", actions) ?? { value: "ALLOW", span: spec.span },
    provider: provider && decodeProvider(decoding, provider),
    rules: readList(decoding, fields.get("rules"), "rules", (item) => decodeRule(decoding, item, family)),
  };
}

function decodeProvider(decoding: Decoding, node: YamlNode): NonNullable<AuthorizationPolicy["provider"]> {
  const fields = readFields(decoding, node, providerFields, "`provider`");
  return readText(decoding, fields?.get("name"), "provider.name") ?? { value: "", span: node.span };
}

function decodeRule(decoding: Decoding, node: YamlNode, family: AuthorizationPolicy["family"]): RuleDocument {
  const fields =
    family === "garita"
      ? readFields(decoding, node, garitaRuleFields, "a rule")
      : readFields(decoding, withoutExtension(node), ruleFields, "a rule");
  if (family === "istio") refuseExtension(decoding, node);
  return {
    span: node.span,
    from: readList(decoding, fields?.get("from"), "from", (item) => decodeFrom(decoding, item)),
    to: readList(decoding, fields?.get("to"), "to", (item) => decodeTo(decoding, item)),
    when: readList(decoding, fields?.get("when"), "when", (item) => decodeCondition(decoding, item)),
    extension: family === "garita" ? decodeExtension(decoding, node) : undefined,
  };
}

function decodeFrom(decoding: Decoding, node: YamlNode): SourceEntry {
  const source = readFields(decoding, node, fromFields, "an item of `from`")?.get("source");
  if (source === undefined) return { span: node.span, source: undefined };
  const fields = decodeValues(decoding, source, sourceValues, "a `source`");
  return { span: node.span, source: { span: source.span, fields } };
}

function decodeTo(decoding: Decoding, node: YamlNode): OperationEntry {
  const operation = readFields(decoding, node, toFields, "an item of `to`")?.get("operation");
  if (operation === undefined) return { span: node.span, operation: undefined };
  const fields = decodeValues(decoding, operation, operationValues, "an `operation`");
  return { span: node.span, operation: { span: operation.span, fields } };
}

/** The list fields of a source or operation; those with no value on either side are left out. */
function decodeValues<Name extends string>(
  decoding: Decoding,
  node: YamlNode,
  table: ValuesTable<Name>,
  what: string,
): Partial<Record<Name, FieldValues>> {
  const fields = readFields(decoding, node, table.fields, what);
  const found: Partial<Record<Name, FieldValues>> = {};
  if (fields === undefined || fields.size === 0) return found;
  for (const { name, twin } of table.pairs) {
    const values = readTexts(decoding, fields.get(name), name);
    const notValues = readTexts(decoding, fields.get(twin), twin);
    if (values.length > 0 || notValues.length > 0) found[name] = { values, notValues };
  }
  return found;
}

function decodeCondition(decoding: Decoding, node: YamlNode): ConditionEntry {
  const fields = readFields(decoding, node, conditionFields, "a condition of `when`");
  return {
    span: node.span,
    key: readText(decoding, fields?.get("key"), "key"),
    values: readTexts(decoding, fields?.get("values"), "values"),
    notValues: readTexts(decoding, fields?.get("notValues"), "notValues"),
  };
}
