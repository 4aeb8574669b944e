import type { Located } from "#policy-compiler/source/diagnostic";
import { isNull, type YamlNode } from "#policy-compiler/yaml/tree";
import { type Decoding, describe } from "./decoding.ts";
import { suggest } from "./suggest.ts";

/**
 * Readers of values by the mapping of JSON to protobuf as Istio's file loader does it. `field` is the name as authors write
 * it. Each answers undefined for an absent node, and for one of a wrong type, which it reports.
 */

/** A text. Null, which can stand only inside lists and maps here, is the empty text. `expected`: what the text should say. */
export function readText(
  decoding: Decoding,
  node: YamlNode | undefined,
  field: string,
  expected: "a text" | "a duration" = "a text",
): Located<string> | undefined {
  if (node === undefined) return undefined;
  if (node.kind === "scalar" && node.elsewhere === undefined) {
    if (typeof node.value === "string") return { value: node.value, span: node.span };
    if (node.value === null) return { value: "", span: node.span };
  }
  decoding.refuseType(`\`${field}\``, expected, node);
  return undefined;
}

/** A list whose items are read by `readItem`; absent and empty are both `[]`. */
export function readList<T>(
  decoding: Decoding,
  node: YamlNode | undefined,
  field: string,
  readItem: (item: YamlNode) => T | undefined,
): readonly T[] {
  if (node === undefined || isNull(node)) return [];
  if (node.kind !== "sequence") {
    decoding.refuseType(`\`${field}\``, "a list", node);
    return [];
  }
  const items: T[] = [];
  for (const item of node.items) {
    const value = readItem(item);
    if (value !== undefined) items.push(value);
  }
  return items;
}

export function readTexts(decoding: Decoding, node: YamlNode | undefined, field: string): readonly Located<string>[] {
  return readList(decoding, node, field, (item) => readText(decoding, item, field));
}

export function readBoolean(decoding: Decoding, node: YamlNode | undefined, field: string): boolean | undefined {
  if (node === undefined) return undefined;
  if (node.kind === "scalar" && node.elsewhere === undefined) {
    if (typeof node.value === "boolean") return node.value;
    if (node.value === null) return false;
  }
  decoding.refuseType(`\`${field}\``, "`true` or `false`", node);
  return undefined;
}

/**
 * The name of an enumeration's value. `names` are indexed by number; numbers are read as well as exact names.
 *
 * DIVERGENCE: Istio decodes numbers that the enumeration does not have, to a value that nothing of it knows. They are refused.
 */
export function readEnum<const Name extends string>(
  decoding: Decoding,
  node: YamlNode | undefined,
  field: string,
  names: readonly Name[],
): Located<Name> | undefined {
  if (node === undefined) return undefined;
  if (node.kind === "scalar" && node.elsewhere === undefined) {
    const number = node.value ?? 0;
    const name = typeof number === "number" ? names[number] : names.find((candidate) => candidate === number);
    if (name !== undefined) return { value: name, span: node.span };
    if (typeof number === "string" || isInt32(number)) {
      const expected = names.map((candidate) => `\`${candidate}\``).join(", ");
      const near = typeof number === "string" ? suggest(number, names) : undefined;
      decoding.refuse(
        typeof number === "string" ? "document/unknown-enum-value" : "document/unknown-enum-number",
        node.span,
        `expected one of ${expected} for \`${field}\`, found ${describe(node)}`,
        near === undefined ? undefined : `did you mean \`${near}\`?`,
      );
      return undefined;
    }
  }
  decoding.refuseType(`\`${field}\``, "the name of a value", node);
  return undefined;
}

function isInt32(value: unknown): boolean {
  return typeof value === "number" && (value | 0) === value;
}

const maxUint32 = 4_294_967_295;
const quotedInteger = /^\s*(?:0|[1-9][0-9]*)\s*$/;

/** An unsigned integer of 32 bits: a number, or its decimal digits as text. */
export function readUint32(decoding: Decoding, node: YamlNode | undefined, field: string): Located<number> | undefined {
  if (node === undefined) return undefined;
  if (node.kind === "scalar" && node.elsewhere === undefined) {
    const isDigits = typeof node.value === "string" && quotedInteger.test(node.value);
    const number = isDigits ? Number(node.value) : (node.value ?? 0);
    if (typeof number === "number" && Number.isInteger(number) && number >= 0 && number <= maxUint32) {
      // Minus zero is zero.
      return { value: number + 0, span: node.span };
    }
  }
  decoding.refuseType(`\`${field}\``, `a whole number from 0 to ${maxUint32}`, node);
  return undefined;
}

/** One entry of a map, with the place of its key. */
export interface MapEntry<T> {
  readonly key: Located<string>;
  readonly value: T;
}

/** The entries of a map in the order of the file; absent is empty. */
export function readMap<T>(
  decoding: Decoding,
  node: YamlNode | undefined,
  field: string,
  readValue: (value: YamlNode, key: Located<string>) => T | undefined,
): readonly MapEntry<T>[] {
  if (node === undefined || isNull(node)) return [];
  if (node.kind !== "mapping") {
    decoding.refuseType(`\`${field}\``, "an object", node);
    return [];
  }
  const entries: MapEntry<T>[] = [];
  for (const { key: keyNode, value: valueNode } of node.entries) {
    const key = { value: keyNode.text, span: keyNode.span };
    const value = readValue(valueNode, key);
    if (value !== undefined) entries.push({ key, value });
  }
  return entries;
}

export function readTextMap(
  decoding: Decoding,
  node: YamlNode | undefined,
  field: string,
): readonly MapEntry<Located<string>>[] {
  return readMap(decoding, node, field, (value, key) => readText(decoding, value, `${field}.${key.value}`));
}
