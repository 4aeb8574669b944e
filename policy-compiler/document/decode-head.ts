import { parseTimestamp } from "#policy-compiler/ruleset/timestamp";
import type { Located, Span } from "#policy-compiler/source/diagnostic";
import type { YamlMapping, YamlNode } from "#policy-compiler/yaml/tree";
import { type Decoding, excerpt } from "./decoding.ts";
import type { DocumentHead } from "./model.ts";
import { fieldTable, readFields } from "./read-fields.ts";
import { readText, readTextMap } from "./read-values.ts";

/** Kubernetes ObjectMeta; those that are not read have no part in policies. */
const metadataFields = fieldTable(
  [
    "name",
    "namespace",
    "labels",
    "annotations",
    "creationTimestamp",
    "generateName",
    "selfLink",
    "uid",
    "resourceVersion",
    "generation",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "ownerReferences",
    "finalizers",
    "managedFields",
  ],
  // ObjectMeta is read by Go's JSON, which knows one spelling.
  {
    creationTimestamp: "creationTimestamp",
    generateName: "generateName",
    selfLink: "selfLink",
    resourceVersion: "resourceVersion",
    deletionTimestamp: "deletionTimestamp",
    deletionGracePeriodSeconds: "deletionGracePeriodSeconds",
    ownerReferences: "ownerReferences",
    managedFields: "managedFields",
  },
);

/**
 * Decodes who an object is. A missing or impossible name is reported, and the head made all the same, so that the rest of
 * the object can be checked.
 */
export function decodeHead(
  decoding: Decoding,
  document: YamlMapping,
  apiVersion: Located<string>,
  kind: Located<string>,
  metadata: YamlNode | undefined,
): DocumentHead {
  const place = metadata?.span ?? kind.span;
  const fields = (metadata && readFields(decoding, metadata, metadataFields, "`metadata`")) ?? new Map();
  const name = readText(decoding, fields.get("name"), "metadata.name");
  if (name !== undefined) checkName(decoding, name);
  else if (!fields.has("name")) {
    decoding.report("document/metadata", place, "expected `metadata.name`, found none", "every object needs a name");
  }
  const namespace = readText(decoding, fields.get("namespace"), "metadata.namespace");
  if (namespace !== undefined && namespace.value !== "") checkNamespace(decoding, namespace);
  return {
    file: decoding.file,
    span: document.span,
    apiVersion,
    kind,
    name: name ?? { value: "", span: place },
    namespace: namespace === undefined || namespace.value === "" ? { value: "default", span: place } : namespace,
    labels: textsByKey(decoding, fields.get("labels"), "metadata.labels"),
    annotations: textsByKey(decoding, fields.get("annotations"), "metadata.annotations"),
    creationTimeMillis: readTime(decoding, fields.get("creationTimestamp"), "metadata.creationTimestamp"),
  };
}

function textsByKey(
  decoding: Decoding,
  node: YamlNode | undefined,
  field: string,
): ReadonlyMap<string, Located<string>> {
  return new Map(readTextMap(decoding, node, field).map(({ key, value }) => [key.value, value]));
}

/** RFC 1123 names as Kubernetes has them: labels of lower-case letters, digits and inner hyphens, joined by dots. */
const label = /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?$/;
const maxNameLength = 253;
const maxNamespaceLength = 63;

function checkName(decoding: Decoding, name: Located<string>): void {
  const { value } = name;
  if (value.length <= maxNameLength && value.split(".").every((part) => label.test(part))) return;
  reportName(decoding, name.span, "metadata.name", value, `a DNS subdomain of at most ${maxNameLength} characters`);
}

function checkNamespace(decoding: Decoding, namespace: Located<string>): void {
  const { value } = namespace;
  if (value.length <= maxNamespaceLength && label.test(value)) return;
  reportName(
    decoding,
    namespace.span,
    "metadata.namespace",
    value,
    `a DNS label of at most ${maxNamespaceLength} characters`,
  );
}

function reportName(decoding: Decoding, span: Span, field: string, value: string, expected: string): void {
  const help = "lower-case letters, digits and hyphens; a letter or digit first and last";
  decoding.report(
    "document/metadata",
    span,
    `expected ${expected} for \`${field}\`, found \`${excerpt(value)}\``,
    help,
  );
}

function readTime(decoding: Decoding, node: YamlNode | undefined, field: string): number | undefined {
  const text = readText(decoding, node, field);
  if (text === undefined || text.value === "") return undefined;
  const millis = parseTimestamp(text.value);
  if (millis === undefined) {
    const message = `expected a time of RFC 3339 for \`${field}\`, found \`${excerpt(text.value)}\``;
    decoding.report("document/metadata", text.span, message, "for example `2026-01-31T12:00:00Z`");
  }
  return millis;
}
