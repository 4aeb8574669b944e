import { suggest } from "#policy-compiler/document/suggest";
import type { ConfigFinding } from "./codes.ts";
import type { ConfigSchema } from "./schema-parts.ts";

const prefix = "GARITA_";

/**
 * Lays environment variables over a configuration: `GARITA_LOGGING__LEVEL=debug`, `GARITA_LISTENERS__0__ADDRESS=…`. Two
 * underscores go one level down; case does not matter, nor do single underscores in a key (`EXPLAIN_TO_CLIENT`); a list is entered
 * by its index, and the index after its last item adds one. Text is taken as it is, numbers and flags are read as such, lists and
 * objects as JSON. Variables without two underscores are not looked at. Returns a copy; `variables` tells which paths (as JSON) were set by which variable.
 */
export function applyEnvironment(
  value: unknown,
  schema: ConfigSchema,
  environment: Readonly<Record<string, string | undefined>>,
): { readonly value: unknown; readonly findings: ConfigFinding[]; readonly variables: ReadonlyMap<string, string> } {
  const root = { value: structuredClone(value) };
  const findings: ConfigFinding[] = [];
  const variables = new Map<string, string>();
  // ORDER: by name, so that a list is there before its items.
  for (const name of Object.keys(environment).sort()) {
    const text = environment[name];
    if (text === undefined || !name.startsWith(prefix) || !name.includes("__")) continue;
    const fault = assign(root, schema, name, text, variables);
    if (fault !== undefined) {
      findings.push({ code: "config/environment", file: `environment variable ${name}`, line: 0, column: 0, ...fault });
    }
  }
  return { value: root.value, findings, variables };
}

type Fault = { readonly message: string; readonly help?: string };

function assign(
  root: { value: unknown },
  schema: ConfigSchema,
  name: string,
  text: string,
  variables: Map<string, string>,
): Fault | undefined {
  let container: Record<string, unknown> | unknown[] = root as Record<string, unknown>;
  let key: string | number = "value";
  let node = schema;
  const path: (string | number)[] = [];
  for (const segment of name.slice(prefix.length).split("__")) {
    const held: unknown = (container as Record<string | number, unknown>)[key];
    const inner: Record<string, unknown> | unknown[] = isContainer(held) ? held : node.type === "array" ? [] : {};
    const step = stepInto(node, segment, inner);
    if ("message" in step) return step;
    (container as Record<string | number, unknown>)[key] = inner;
    container = inner;
    key = step.key;
    node = step.schema;
    path.push(key);
  }
  const read = readValue(node, text);
  if ("message" in read) return read;
  (container as Record<string | number, unknown>)[key] = read.value;
  variables.set(JSON.stringify(path), name);
  return undefined;
}

function stepInto(
  node: ConfigSchema,
  segment: string,
  held: Record<string, unknown> | unknown[],
): Fault | { readonly key: string | number; readonly schema: ConfigSchema } {
  if (node.type === "array" && node.items !== undefined) {
    const index = /^[0-9]{1,4}$/.test(segment) ? Number(segment) : -1;
    const length = Array.isArray(held) ? held.length : 0;
    if (index >= 0 && index <= length) return { key: index, schema: node.items };
    return { message: `expected an index from 0 to ${length}, found \`${segment}\`` };
  }
  if (node.type !== "object") return { message: `\`${segment}\` leads into a value that has no keys` };
  const known = Object.keys(node.properties ?? {});
  const key = known.find((candidate) => plain(candidate) === plain(segment));
  if (key !== undefined) return { key, schema: node.properties![key]! };
  if (typeof node.additionalProperties === "object") return { key: segment, schema: node.additionalProperties };
  const meant = suggest(plain(segment), known);
  return {
    message: `no key is named \`${segment}\``,
    ...(meant === undefined ? {} : { help: `did you mean \`${meant}\`?` }),
  };
}

function readValue(node: ConfigSchema, text: string): Fault | { readonly value: unknown } {
  switch (node.type) {
    case "string":
      return { value: text };
    case "integer":
      return /^-?[0-9]{1,15}$/.test(text)
        ? { value: Number(text) }
        : { message: `expected a whole number, found \`${text}\`` };
    case "boolean":
      if (text === "true" || text === "false") return { value: text === "true" };
      return { message: `expected \`true\` or \`false\`, found \`${text}\`` };
    default:
      try {
        return { value: JSON.parse(text) as unknown };
      } catch {
        return { message: `expected JSON (${node.type}), found \`${text}\`` };
      }
  }
}

function isContainer(value: unknown): value is Record<string, unknown> | unknown[] {
  return typeof value === "object" && value !== null;
}

function plain(name: string): string {
  return name.replaceAll("_", "").toLowerCase();
}
