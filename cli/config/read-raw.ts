import { readFile } from "node:fs/promises";
import { messageOf } from "#platform/coded-error";
import { checkShape } from "./check-shape.ts";
import type { ConfigFinding } from "./codes.ts";
import { applyEnvironment } from "./environment.ts";
import type { LocatedYaml } from "./located-yaml.ts";
import { readYaml } from "./read-yaml.ts";
import type { ConfigSchema } from "./schema-parts.ts";
import type { ShapeFault } from "./shape-fault.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

export interface Refused {
  readonly ok: false;
  readonly findings: readonly ConfigFinding[];
}

/** What a configuration file is checked by; `Raw` is what its schema lets through. */
export interface ConfigDescription<Raw> {
  readonly schema: ConfigSchema;
  /** What the schema cannot say. */
  readonly checkRules: (raw: Raw) => readonly ShapeFault[];
}

/** The text of a configuration file, or why there is none. */
export async function readConfigText(
  path: string,
): Promise<{ readonly ok: true; readonly text: string } | (Refused & { readonly text: "" })> {
  try {
    return { ok: true, text: await readFile(path, "utf8") };
  } catch (cause) {
    return { ...refused([unreadable(path, cause)]), text: "" };
  }
}

/** What the system calls a file that is not there: a part of its path is missing, no folder, or it is a folder itself. */
const missingFaults: ReadonlySet<string> = new Set(["ENOENT", "ENOTDIR", "EISDIR"]);

function unreadable(path: string, cause: unknown): ConfigFinding {
  const place = { file: path, line: 0, column: 0 };
  if (!missingFaults.has((cause as NodeJS.ErrnoException).code ?? "")) {
    return { code: "config/unreadable", message: messageOf(cause), ...place };
  }
  return { code: "config/missing", message: "there is no such file", ...place, help: "`--config` names another one" };
}

/** Reads YAML, lays the environment over it, and checks the whole. `file` stands in findings. */
export async function readRaw<Raw>(
  text: string,
  file: string,
  { schema, checkRules }: ConfigDescription<Raw>,
  environment: Environment,
): Promise<{ readonly ok: true; readonly raw: Raw } | Refused> {
  const { yaml, faults } = await readYaml(text);
  if (yaml === undefined) return refused(faults.map((fault) => ({ code: "config/syntax", file, ...fault })));
  const laid = applyEnvironment(yaml.value ?? {}, schema, environment);
  if (laid.findings.length > 0) return refused(laid.findings);
  const locate = (fault: ShapeFault) => toFinding(fault, file, yaml, laid.variables);
  const shape = checkShape(laid.value, schema);
  if (shape.length > 0) return refused(shape.map(locate));
  const raw = laid.value as Raw;
  const broken = checkRules(raw);
  return broken.length > 0 ? refused(broken.map(locate)) : { ok: true, raw };
}

function refused(findings: readonly ConfigFinding[]): Refused {
  return { ok: false, findings: findings.toSorted((a, b) => a.line - b.line || a.column - b.column) };
}

function toFinding(
  fault: ShapeFault,
  file: string,
  yaml: LocatedYaml,
  variables: ReadonlyMap<string, string>,
): ConfigFinding {
  const { code, message } = fault;
  const help = fault.help === undefined ? {} : { help: fault.help };
  const variable = variables.get(JSON.stringify(fault.path));
  if (variable !== undefined) {
    return { code, message, file: `environment variable ${variable}`, line: 0, column: 0, ...help };
  }
  const place = fault.at === "key" ? yaml.placeOfKey(fault.path) : yaml.placeOf(fault.path);
  return { code, message, file, ...place, ...help };
}
