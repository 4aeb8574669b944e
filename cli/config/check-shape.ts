import type { ConfigCode } from "./codes.ts";
import type { Path } from "./located-yaml.ts";
import type { ConfigSchema } from "./schema.ts";
import { suggest } from "./suggest.ts";

/** A fault at a path. `at` tells whether its key or its value is meant. */
export interface ShapeFault {
  readonly code: ConfigCode;
  readonly path: Path;
  readonly at: "key" | "value";
  readonly message: string;
  readonly help?: string;
}

/**
 * Everything in which a value differs from a schema. PERF: the schemas of the configuration use a dozen keywords; a general
 * validator takes longer to load than the whole rest of a start. The tests compare the two.
 */
export function checkShape(value: unknown, schema: ConfigSchema, path: Path = []): ShapeFault[] {
  if (!hasType(value, schema.type)) {
    return [fault(path, `expected ${articles[schema.type]}, found ${foundText(value)}`)];
  }
  if (Array.isArray(value)) return checkList(value, schema, path);
  if (typeof value === "object") return checkObject(value as Record<string, unknown>, schema, path);
  return checkScalar(value as string | number | boolean, schema, path);
}

function checkObject(value: Record<string, unknown>, schema: ConfigSchema, path: Path): ShapeFault[] {
  const faults: ShapeFault[] = [];
  const keys = Object.keys(value);
  const known = schema.properties ?? {};
  if (keys.length < (schema.minProperties ?? 0)) faults.push(fault(path, "expected at least one key, found none"));
  if (keys.length > (schema.maxProperties ?? Number.POSITIVE_INFINITY)) {
    faults.push(fault(path, "expected exactly one key, found several"));
  }
  for (const key of schema.required ?? []) {
    if (!Object.hasOwn(value, key)) {
      faults.push({ code: "config/missing-key", path, at: "value", message: `missing key \`${key}\`` });
    }
  }
  for (const key of keys) {
    const inner = Object.hasOwn(known, key) ? known[key] : schema.additionalProperties;
    if (typeof inner === "object") faults.push(...checkShape(value[key], inner, [...path, key]));
    else if (inner === false) faults.push(unknownKey(key, Object.keys(known), path));
  }
  return faults;
}

function checkList(value: readonly unknown[], schema: ConfigSchema, path: Path): ShapeFault[] {
  if (value.length < (schema.minItems ?? 0)) return [fault(path, "expected at least one item, found none")];
  const { items } = schema;
  return items === undefined ? [] : value.flatMap((item, i) => checkShape(item, items, [...path, i]));
}

function checkScalar(value: string | number | boolean, schema: ConfigSchema, path: Path): ShapeFault[] {
  const found = foundText(value);
  if (typeof value === "number") {
    const { minimum = Number.NEGATIVE_INFINITY, maximum = Number.POSITIVE_INFINITY } = schema;
    if (value >= minimum && value <= maximum) return [];
    return [fault(path, `expected a whole number from ${minimum} to ${maximum}, found ${found}`)];
  }
  if (typeof value === "boolean") return [];
  if (value.length < (schema.minLength ?? 0)) return [fault(path, "expected text, found none")];
  if (schema.enum !== undefined && !schema.enum.includes(value)) {
    return [fault(path, `expected one of ${schema.enum.map((one) => `\`${one}\``).join(", ")}, found ${found}`)];
  }
  if (schema.pattern !== undefined && !new RegExp(schema.pattern, "u").test(value)) {
    return [fault(path, `expected text of the form ${schema.pattern}, found ${found}`)];
  }
  return [];
}

function hasType(value: unknown, type: ConfigSchema["type"]): boolean {
  switch (type) {
    case "object":
      return typeof value === "object" && value !== null && !Array.isArray(value);
    case "array":
      return Array.isArray(value);
    case "integer":
      return Number.isInteger(value);
    default:
      return typeof value === type;
  }
}

function unknownKey(key: string, known: readonly string[], path: Path): ShapeFault {
  const meant = suggest(key, known);
  return {
    code: "config/unknown-key",
    path: [...path, key],
    at: "key",
    message: `unknown key \`${key}\``,
    help: meant === undefined ? `known keys: ${known.join(", ")}` : `did you mean \`${meant}\`?`,
  };
}

function fault(path: Path, what: string): ShapeFault {
  const name = path.length === 0 ? "the file" : `\`${path.join(".")}\``;
  return { code: "config/value", path, at: "value", message: `${name}: ${what}` };
}

const articles: Readonly<Record<ConfigSchema["type"], string>> = {
  object: "an object",
  array: "a list",
  string: "text",
  integer: "a whole number",
  boolean: "`true` or `false`",
};

/** Characters of a value that a message repeats. */
const shownLength = 60;

function foundText(value: unknown): string {
  if (value === null || value === undefined) return "nothing";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object") return "an object";
  const text = String(value);
  return `\`${text.length > shownLength ? `${text.slice(0, shownLength)}…` : text}\``;
}
