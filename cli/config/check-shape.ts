import { suggest } from "#policy-compiler/document/suggest";
import type { Path } from "./located-yaml.ts";
import type { ConfigSchema } from "./schema-parts.ts";
import type { ShapeFault } from "./shape-fault.ts";

/**
 * Everything in which a value differs from a schema, outermost first.
 * PERF: walks the schema as it is (`bench/start.ts`); the general validator, which compiles it first, takes a third of a cold start and is
 * the oracle in the tests.
 */
export function checkShape(value: unknown, schema: ConfigSchema, path: Path = []): ShapeFault[] {
  if (!hasType(value, schema.type))
    return [wrong(path, `expected ${articles[schema.type]}, found ${foundText(value)}`)];
  if (Array.isArray(value)) return checkList(value, schema, path);
  if (typeof value === "object") return checkObject(value as Readonly<Record<string, unknown>>, schema, path);
  const sentence = typeof value === "string" ? textFault(value, schema) : numberFault(value, schema);
  return sentence === undefined ? [] : [wrong(path, sentence)];
}

function hasType(value: unknown, type: ConfigSchema["type"]): boolean {
  switch (type) {
    case "array":
      return Array.isArray(value);
    case "object":
      return typeof value === "object" && value !== null && !Array.isArray(value);
    case "integer":
      return Number.isInteger(value);
    default:
      return typeof value === type;
  }
}

function checkList(items: readonly unknown[], schema: ConfigSchema, path: Path): ShapeFault[] {
  if (items.length < (schema.minItems ?? 0)) return [wrong(path, "expected at least one item, found none")];
  const { items: each } = schema;
  return each === undefined ? [] : items.flatMap((item, i) => checkShape(item, each, [...path, i]));
}

function checkObject(value: Readonly<Record<string, unknown>>, schema: ConfigSchema, path: Path): ShapeFault[] {
  const faults: ShapeFault[] = [];
  const keys = Object.keys(value);
  if (keys.length < (schema.minProperties ?? 0)) faults.push(wrong(path, "expected at least one key, found none"));
  if (keys.length > (schema.maxProperties ?? keys.length)) {
    faults.push(wrong(path, "expected exactly one key, found several"));
  }
  for (const key of schema.required ?? []) {
    if (Object.hasOwn(value, key)) continue;
    faults.push({ code: "config/missing-key", path, at: "value", message: `missing key \`${key}\`` });
  }
  const known = schema.properties ?? {};
  for (const key of keys) {
    const member = Object.hasOwn(known, key) ? known[key] : schema.additionalProperties;
    if (typeof member === "object") faults.push(...checkShape(value[key], member, [...path, key]));
    else if (member === false) faults.push(unknownKey([...path, key], key, Object.keys(known)));
  }
  return faults;
}

function unknownKey(path: Path, key: string, known: readonly string[]): ShapeFault {
  const meant = suggest(key, known);
  return {
    code: "config/unknown-key",
    path,
    at: "key",
    message: `unknown key \`${key}\``,
    help: meant === undefined ? `known keys: ${known.join(", ")}` : `did you mean \`${meant}\`?`,
  };
}

function textFault(value: string, schema: ConfigSchema): string | undefined {
  if (value.length < (schema.minLength ?? 0)) return "expected text, found none";
  if (schema.enum !== undefined && !schema.enum.includes(value)) {
    return `expected one of ${schema.enum.map((each) => `\`${each}\``).join(", ")}, found ${foundText(value)}`;
  }
  if (schema.pattern !== undefined && !new RegExp(schema.pattern, "u").test(value)) {
    return `expected text of the form ${schema.pattern}, found ${foundText(value)}`;
  }
  return undefined;
}

function numberFault(value: unknown, { minimum, maximum }: ConfigSchema): string | undefined {
  if (typeof value !== "number") return undefined;
  if (value >= (minimum ?? value) && value <= (maximum ?? value)) return undefined;
  return `expected a whole number from ${minimum} to ${maximum}, found ${foundText(value)}`;
}

function wrong(path: Path, sentence: string): ShapeFault {
  const name = path.length === 0 ? "the file" : `\`${path.join(".")}\``;
  return { code: "config/value", path, at: "value", message: `${name}: ${sentence}` };
}

const articles: Readonly<Record<ConfigSchema["type"], string>> = {
  object: "an object",
  array: "a list",
  string: "text",
  integer: "a whole number",
  boolean: "`true` or `false`",
};

function foundText(value: unknown): string {
  if (value === null || value === undefined) return "nothing";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object") return "an object";
  const text = String(value);
  return `\`${text.length > 60 ? `${text.slice(0, 60)}…` : text}\``;
}
