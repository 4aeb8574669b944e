import { isNull, type YamlNode } from "#policy-compiler/yaml/tree";
import type { Decoding } from "./decoding.ts";
import { suggest } from "./suggest.ts";

/** The fields of one message: every spelling that is read, and the name that it stands for. */
export interface FieldTable<Name extends string> {
  readonly names: readonly Name[];
  readonly bySpelling: ReadonlyMap<string, Name>;
}

/**
 * The table of a message with these fields. The mapping of JSON to protobuf reads a field by its camelCase name and by its
 * original snake_case name; `originals` holds those that are not made by the rule.
 */
export function fieldTable<const Name extends string>(
  names: readonly Name[],
  originals: Partial<Record<Name, string>> = {},
): FieldTable<Name> {
  const bySpelling = new Map<string, Name>();
  for (const name of names) {
    bySpelling.set(originals[name] ?? snakeCase(name), name);
    bySpelling.set(name, name);
  }
  return { names, bySpelling };
}

function snakeCase(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/**
 * The fields of an object by their camelCase names. A field that is null is absent; when both spellings stand there the
 * camelCase one wins, null or not. Unknown fields are reported. A null object has no fields. Undefined when the node is
 * no object (reported).
 */
export function readFields<Name extends string>(
  decoding: Decoding,
  node: YamlNode,
  table: FieldTable<Name>,
  what: string,
): ReadonlyMap<Name, YamlNode> | undefined {
  if (isNull(node)) return new Map();
  if (node.kind !== "mapping") {
    decoding.refuseType(what, "an object", node);
    return undefined;
  }
  const fields = new Map<Name, YamlNode>();
  for (const { key, value } of node.entries) {
    const name = table.bySpelling.get(key.text);
    if (name === undefined) {
      reportUnknownField(decoding, key, table.names, what);
      continue;
    }
    // Keys are unique: what has the name already, where this one is in snake_case, is in camelCase.
    if (key.text === name || !fields.has(name)) fields.set(name, value);
  }
  for (const [name, value] of fields) if (isNull(value)) fields.delete(name);
  return fields;
}

/** Reports a field that the message does not have: an error, or a note when Istio's file loader is imitated. */
export function reportUnknownField(
  decoding: Decoding,
  key: { readonly text: string; readonly span: YamlNode["span"] },
  names: readonly string[],
  what: string,
): void {
  if (decoding.istioLax) {
    decoding.report("document/unknown-field-dropped", key.span, `dropped the unknown field \`${key.text}\` of ${what}`);
    return;
  }
  const near = suggest(key.text, names);
  const known =
    names.length === 0 ? "it has no fields" : `known fields: ${names.map((name) => `\`${name}\``).join(", ")}`;
  const help = near === undefined ? known : `did you mean \`${near}\`?`;
  decoding.report("document/unknown-field", key.span, `expected a field of ${what}, found \`${key.text}\``, help);
}
