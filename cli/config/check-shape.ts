import { Ajv, type ErrorObject } from "ajv";
import type { ConfigCode } from "./codes.ts";
import type { Path } from "./read-yaml.ts";
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

/** Everything in which a value differs from a schema. */
export function checkShape(value: unknown, wanted: ConfigSchema): ShapeFault[] {
  const ajv = new Ajv({ allErrors: true, verbose: true, strict: true, allowUnionTypes: false });
  const validate = ajv.compile(wanted as object);
  validate(value);
  return (validate.errors ?? []).map(toFault);
}

function toFault(error: ErrorObject): ShapeFault {
  const path = pathOf(error.instancePath);
  const schema = error.parentSchema as unknown as ConfigSchema;
  const parameters = error.params as Record<string, unknown>;
  switch (error.keyword) {
    case "additionalProperties": {
      const key = String(parameters["additionalProperty"]);
      const known = Object.keys(schema.properties ?? {});
      const meant = suggest(key, known);
      return {
        code: "config/unknown-key",
        path: [...path, key],
        at: "key",
        message: `unknown key \`${key}\``,
        help: meant === undefined ? `known keys: ${known.join(", ")}` : `did you mean \`${meant}\`?`,
      };
    }
    case "required":
      return {
        code: "config/missing-key",
        path,
        at: "value",
        message: `missing key \`${String(parameters["missingProperty"])}\``,
      };
    default:
      return { code: "config/value", path, at: "value", message: sentenceOf(error, schema, path) };
  }
}

function sentenceOf(error: ErrorObject, schema: ConfigSchema, path: Path): string {
  const name = path.length === 0 ? "the file" : `\`${path.join(".")}\``;
  const found = foundText(error.data);
  switch (error.keyword) {
    case "type":
      return `${name}: expected ${article(schema.type)}, found ${found}`;
    case "enum":
      return `${name}: expected one of ${schema.enum?.map((value) => `\`${value}\``).join(", ")}, found ${found}`;
    case "pattern":
      return `${name}: expected text of the form ${schema.pattern}, found ${found}`;
    case "minimum":
    case "maximum":
      return `${name}: expected a whole number from ${schema.minimum} to ${schema.maximum}, found ${found}`;
    case "minLength":
      return `${name}: expected text, found none`;
    case "minItems":
      return `${name}: expected at least one item, found none`;
    case "minProperties":
      return `${name}: expected at least one key, found none`;
    case "maxProperties":
      return `${name}: expected exactly one key, found several`;
    default:
      return `${name}: ${error.message ?? error.keyword}`;
  }
}

const articles: Readonly<Record<ConfigSchema["type"], string>> = {
  object: "an object",
  array: "a list",
  string: "text",
  integer: "a whole number",
  boolean: "`true` or `false`",
};

function article(type: ConfigSchema["type"]): string {
  return articles[type];
}

function foundText(value: unknown): string {
  if (value === null || value === undefined) return "nothing";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object") return "an object";
  const text = String(value);
  return `\`${text.length > 60 ? `${text.slice(0, 60)}…` : text}\``;
}

/** RFC 6901: a JSON pointer as a path; indexes as numbers. */
function pathOf(pointer: string): Path {
  if (pointer === "") return [];
  return pointer
    .slice(1)
    .split("/")
    .map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"))
    .map((part) => (/^[0-9]+$/.test(part) ? Number(part) : part));
}
