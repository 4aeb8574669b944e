import { DURATION_HELP, parseDuration } from "#policy-compiler/ruleset/duration";
import { isNull, type YamlNode } from "#policy-compiler/yaml/tree";
import { type Decoding, excerpt } from "./decoding.ts";
import {
  extensionProviderFields,
  grpcProviderOptions,
  httpProviderOptions,
  type OptionType,
  requestBodyOptions,
} from "./mesh-fields.ts";
import type { ExtensionProvider } from "./model.ts";
import { fieldTable, readFields } from "./read-fields.ts";
import { readBoolean, readList, readText, readTextMap, readTexts, readUint32 } from "./read-values.ts";

type Options = Readonly<Record<string, unknown>>;

/**
 * Decodes `extensionProviders`. Names are kept as written, also those that Istio refuses: a provider that cannot work
 * denies the requests that would ask it, and only those.
 */
export function decodeExtensionProviders(decoding: Decoding, node: YamlNode | undefined): readonly ExtensionProvider[] {
  const providers = readList(decoding, node, "extensionProviders", (item) => decodeProvider(decoding, item));
  const names = new Set<string>();
  for (const { name } of providers) {
    if (names.has(name.value)) {
      decoding.report("mesh/value", name.span, `expected each provider once, found \`${name.value}\` again`);
    }
    names.add(name.value);
  }
  return providers;
}

function decodeProvider(decoding: Decoding, node: YamlNode): ExtensionProvider | undefined {
  const fields = readFields(decoding, node, extensionProviderFields, "an extension provider");
  if (fields === undefined) return undefined;
  const name = readText(decoding, fields.get("name"), "name") ?? { value: "", span: node.span };
  if (name.value === "") decoding.report("mesh/value", name.span, "expected a provider with a name, found none");
  const kinds = [...fields.keys()].filter((field) => field !== "name");
  const [kind] = kinds;
  if (kind === undefined || kinds.length > 1) {
    const found = kind === undefined ? "none" : kinds.map((each) => `\`${each}\``).join(", ");
    decoding.report("mesh/value", node.span, `expected a provider of one kind, found ${found}`);
  }
  const member = kind && fields.get(kind);
  if (member === undefined) return { span: node.span, name, kind: "other", options: {} };
  if (kind === "envoyExtAuthzHttp") {
    return { span: node.span, name, kind, options: readOptions(decoding, member, kind, httpTable) };
  }
  if (kind === "envoyExtAuthzGrpc") {
    return { span: node.span, name, kind, options: readOptions(decoding, member, kind, grpcTable) };
  }
  return { span: node.span, name, kind: "other", options: { [kind!]: toJson(member) } };
}

const httpTable = optionTable(httpProviderOptions);
const grpcTable = optionTable(grpcProviderOptions);
const requestBodyTable = optionTable(requestBodyOptions);

function optionTable(types: Readonly<Record<string, OptionType>>) {
  return { types, fields: fieldTable(Object.keys(types)) };
}

/** The options of a provider by their camelCase names, as plain JSON data. Absent options are not members. */
function readOptions(decoding: Decoding, node: YamlNode, what: string, table: ReturnType<typeof optionTable>): Options {
  const fields = readFields(decoding, node, table.fields, `\`${what}\``) ?? new Map<string, YamlNode>();
  const options: [string, unknown][] = [];
  for (const [name, type] of Object.entries(table.types)) {
    const option = fields.get(name);
    if (option !== undefined) options.push([name, readOption(decoding, option, name, type)]);
  }
  return Object.fromEntries(options);
}

function readOption(decoding: Decoding, node: YamlNode, field: string, type: OptionType): unknown {
  switch (type) {
    case "text":
      return readText(decoding, node, field)?.value;
    case "duration":
      return readDuration(decoding, node, field);
    case "texts":
      return readTexts(decoding, node, field).map((text) => text.value);
    case "textMap":
      return Object.fromEntries(readTextMap(decoding, node, field).map(({ key, value }) => [key.value, value.value]));
    case "boolean":
      return readBoolean(decoding, node, field);
    case "uint32":
      return readUint32(decoding, node, field)?.value;
    case "requestBody":
      return readOptions(decoding, node, field, requestBodyTable);
    default:
      return type satisfies never;
  }
}

/** A duration as written. What Go cannot read Istio refuses with the whole MeshConfig; how long it may be is the provider's affair. */
function readDuration(decoding: Decoding, node: YamlNode, field: string): string | undefined {
  const text = readText(decoding, node, field, "a duration");
  if (text !== undefined && !parseDuration(text.value).ok) {
    const message = `expected a duration for \`${field}\`, found \`${excerpt(text.value)}\``;
    decoding.report("mesh/value", text.span, message, DURATION_HELP);
  }
  return text?.value;
}

/** Options of a kind that is not asked: kept for those who show them. */
function toJson(node: YamlNode): unknown {
  if (isNull(node)) return null;
  switch (node.kind) {
    case "scalar":
      return node.value;
    case "sequence":
      return node.items.map(toJson);
    case "mapping":
      return Object.fromEntries(node.entries.map(({ key, value }) => [key.text, toJson(value)]));
    default:
      return node satisfies never;
  }
}
