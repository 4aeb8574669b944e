import type { Located } from "#policy-compiler/source/diagnostic";
import { scalarRuns, spanOfRange } from "#policy-compiler/yaml/scalar-runs";
import type { YamlEntry, YamlMapping, YamlNode, YamlScalar } from "#policy-compiler/yaml/tree";
import { type Decoding, describe } from "./decoding.ts";
import { garitaGroup, ourKinds } from "./kinds.ts";
import type {
  AllowResponseDocument,
  DenyResponseDocument,
  ExpressionDocument,
  ExtensionDocument,
  ResponseFieldDocument,
  ResponseValueDocument,
} from "./model.ts";
import { fieldTable, readFields } from "./read-fields.ts";
import { readList, readMap, readText, readUint32 } from "./read-values.ts";

/** What a rule of our own group can have beside Istio's fields. Our fields have one spelling. */
export const extensionFields = ["cel", "denyResponse", "allowResponse"] as const;
type ExtensionField = (typeof extensionFields)[number];
export const extensionOriginals = { denyResponse: "denyResponse", allowResponse: "allowResponse" } as const;

const denyFields = fieldTable(["status", "headers", "body"]);
const allowFields = fieldTable(["requestHeaders", "responseHeaders", "dynamicMetadata"], {
  requestHeaders: "requestHeaders",
  responseHeaders: "responseHeaders",
  dynamicMetadata: "dynamicMetadata",
});
const valueFields = fieldTable(["cel"]);

/**
 * Decodes what a rule of our own group says beyond Istio's. A field without a value is there all the same, with nothing in it: a
 * condition that was begun must not be lost, where Istio would take it for absent.
 */
export function decodeExtension(decoding: Decoding, rule: YamlNode): ExtensionDocument | undefined {
  const written = new Map(extensionEntries(rule).map((entry) => [entry.key.text as ExtensionField, entry]));
  if (written.size === 0) return undefined;
  const cel = written.get("cel");
  const deny = written.get("denyResponse");
  const allow = written.get("allowResponse");
  return {
    cel: cel && {
      span: cel.key.span,
      expressions: readList(decoding, cel.value, "cel", (item) => decodeExpression(decoding, item, "cel")),
    },
    denyResponse: deny && decodeDenyResponse(decoding, deny),
    allowResponse: allow && decodeAllowResponse(decoding, allow),
  };
}

/** A rule of Istio's kind without our fields, of which `refuseExtension` tells. */
export function withoutExtension(rule: YamlNode): YamlNode {
  return rule.kind === "mapping" ? { ...rule, entries: rule.entries.filter((entry) => !isExtension(entry)) } : rule;
}

/** Refuses our fields in a rule of Istio's kind, whatever is dropped otherwise: without them the rule would be another. */
export function refuseExtension(decoding: Decoding, rule: YamlNode): void {
  const { group, versions } = ourKinds.AuthorizationPolicy.find((served) => served.group === garitaGroup)!;
  for (const { key } of extensionEntries(rule)) {
    decoding.report(
      "document/garita-field",
      key.span,
      `expected a field of Istio's rules, found \`${key.text}\`, which is our own`,
      `write \`apiVersion: ${group}/${versions[0]}\``,
    );
  }
}

function extensionEntries(rule: YamlNode): readonly YamlEntry[] {
  return rule.kind === "mapping" ? (rule as YamlMapping).entries.filter(isExtension) : [];
}

function isExtension({ key }: YamlEntry): boolean {
  return (extensionFields as readonly string[]).includes(key.text);
}

function decodeDenyResponse(decoding: Decoding, { key, value }: YamlEntry): DenyResponseDocument {
  const fields = readFields(decoding, value, denyFields, "`denyResponse`");
  const body = fields?.get("body");
  return {
    span: key.span,
    status: readUint32(decoding, fields?.get("status"), "status"),
    headers: decodeFields(decoding, fields?.get("headers"), "headers"),
    body: body && decodeValue(decoding, body, "body"),
  };
}

function decodeAllowResponse(decoding: Decoding, { key, value }: YamlEntry): AllowResponseDocument {
  const fields = readFields(decoding, value, allowFields, "`allowResponse`");
  const list = (name: "requestHeaders" | "responseHeaders" | "dynamicMetadata") =>
    decodeFields(decoding, fields?.get(name), name);
  return {
    span: key.span,
    requestHeaders: list("requestHeaders"),
    responseHeaders: list("responseHeaders"),
    dynamicMetadata: list("dynamicMetadata"),
  };
}

function decodeFields(decoding: Decoding, node: YamlNode | undefined, field: string): readonly ResponseFieldDocument[] {
  return readMap(decoding, node, field, (value, key) => {
    const decoded = decodeValue(decoding, value, `${field}.${key.value}`);
    return decoded && { name: key, value: decoded };
  }).map(({ value }) => value);
}

/** Plain text, or an object whose one field `cel` is an expression. */
function decodeValue(decoding: Decoding, node: YamlNode, field: string): ResponseValueDocument | undefined {
  if (node.kind !== "mapping") {
    const text = readText(decoding, node, field);
    return text && { kind: "text", text };
  }
  const cel = readFields(decoding, node, valueFields, `\`${field}\``)?.get("cel");
  if (cel === undefined) {
    const message = `expected a text or an object with \`cel\` for \`${field}\`, found ${describe(node)} without it`;
    decoding.refuse("document/wrong-type", node.span, message);
    return undefined;
  }
  const expression = decodeExpression(decoding, cel, `${field}.cel`);
  return expression && { kind: "cel", expression };
}

function decodeExpression(decoding: Decoding, node: YamlNode, field: string): ExpressionDocument | undefined {
  const read = readText(decoding, node, field);
  return read === undefined ? undefined : expressionOf(decoding, node as YamlScalar, read);
}

function expressionOf(decoding: Decoding, node: YamlScalar, { value, span }: Located<string>): ExpressionDocument {
  let start = 0;
  let end = value.length;
  while (start < end && isBlank(value.charAt(start))) start++;
  while (end > start && isBlank(value.charAt(end - 1))) end--;
  const text = value.slice(start, end);
  const runs = text === "" ? undefined : scalarRuns(decoding.text, node);
  if (runs === undefined) return { text, span, runs };
  return {
    text,
    span: spanOfRange(runs, start, end),
    runs: runs.map((run) => ({ ...run, at: run.at - start })),
  };
}

/** What stands between the tokens of CEL. */
function isBlank(unit: string): boolean {
  return unit === " " || unit === "\n" || unit === "\t" || unit === "\r" || unit === "\f";
}
