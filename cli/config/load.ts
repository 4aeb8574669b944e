import { readFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import type { WorkloadClaim } from "#authz/check/contract";
import { parseAddress } from "#platform/address";
import { messageOf } from "#platform/coded-error";
import type { TlsFiles } from "#platform/tls-material";
import { checkRules } from "./check-rules.ts";
import { checkShape } from "./check-shape.ts";
import type { ConfigFinding } from "./codes.ts";
import { convertCa } from "./convert-ca.ts";
import { convertPolicies } from "./convert-git.ts";
import { applyEnvironment } from "./environment.ts";
import { jwtDefaults } from "./jwt-defaults.ts";
import type { LocatedYaml } from "./located-yaml.ts";
import type { RawConfig, RawListener, ServiceConfig } from "./model.ts";
import { readYaml } from "./read-yaml.ts";
import { configSchema } from "./schema.ts";
import type { ShapeFault } from "./shape-fault.ts";

export type ConfigResult =
  | { readonly ok: true; readonly config: ServiceConfig }
  | { readonly ok: false; readonly findings: readonly ConfigFinding[] };

/** A reading of the file, with what it says, so that two readings of one text can be told from two texts. */
export type LoadedConfig = ConfigResult & {
  /** The file's text; empty where it cannot be read. */
  readonly text: string;
};

type Environment = Readonly<Record<string, string | undefined>>;

/** Reads a configuration file and lays the environment over it. Never rejects: what is wrong comes back as findings. */
export async function loadConfig(path: string, environment: Environment): Promise<LoadedConfig> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (cause) {
    return { ...refused([unreadable(path, cause)]), text: "" };
  }
  return { ...(await readConfig(text, path, environment)), text };
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

/** Makes a configuration of a file's text. `file` stands in findings; relative paths are read from its folder. */
export async function readConfig(text: string, file: string, environment: Environment): Promise<ConfigResult> {
  const { yaml, faults } = await readYaml(text);
  if (yaml === undefined) return refused(faults.map((fault) => ({ code: "config/syntax", file, ...fault })));
  const laid = applyEnvironment(yaml.value ?? {}, configSchema, environment);
  if (laid.findings.length > 0) return refused(laid.findings);
  const locate = (fault: ShapeFault) => toFinding(fault, file, yaml, laid.variables);
  const shape = checkShape(laid.value, configSchema);
  if (shape.length > 0) return refused(shape.map(locate));
  const raw = laid.value as RawConfig;
  const broken = checkRules(raw);
  if (broken.length > 0) return refused(broken.map(locate));
  return { ok: true, config: convert(raw, dirname(resolve(file))) };
}

function refused(findings: ConfigFinding[]): ConfigResult & { readonly ok: false } {
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

/** Fills in defaults and makes paths absolute. The input passed every check. */
function convert(raw: RawConfig, folder: string): ServiceConfig {
  const file = (path: string): string => resolve(folder, path);
  const optionalFile = (path: string | undefined) => (path === undefined ? undefined : file(path));
  const tls = (files: TlsFiles | undefined): TlsFiles | undefined =>
    files === undefined
      ? undefined
      : {
          ...files,
          certificateFile: file(files.certificateFile),
          keyFile: file(files.keyFile),
          ...(files.clientCaFile === undefined ? {} : { clientCaFile: file(files.clientCaFile) }),
        };
  const address = (text: string) => {
    const parsed = parseAddress(text)!;
    return parsed.kind === "unix" ? { ...parsed, path: file(parsed.path) } : parsed;
  };
  const { admin } = raw;
  return {
    listeners: raw.listeners.map((listener) => ({
      name: listener.name,
      protocol: listener.protocol,
      address: address(listener.address),
      unixMode: Number.parseInt(listener.socketMode ?? "0660", 8),
      tls: tls(listener.tls),
      peerIdentity: listener.peerIdentity,
      proxyProtocol: listener.proxyProtocol ?? false,
      workload: claim(listener.workload),
      destination: listener.destination,
      pathPrefix: listener.pathPrefix ?? "",
      attributeHeaders: listener.attributeHeaders ?? false,
      upstreamHeaders: (listener.upstreamHeaders ?? []).map((name) => name.toLowerCase()),
      secretFile: optionalFile(listener.secretFile),
      explainToClient: listener.explainToClient ?? false,
      deadlineMillis: listener.deadlineMillis ?? 5_000,
      maxMessageBytes: listener.maxMessageBytes ?? 16 * 1024 * 1024,
    })),
    policies: convertPolicies(raw.policies, file),
    admin:
      admin === undefined
        ? undefined
        : {
            address: admin.address === undefined ? undefined : address(admin.address),
            socket: optionalFile(admin.socket),
            tls: tls(admin.tls),
            tokenFile: optionalFile(admin.tokenFile),
          },
    jwt: {
      ...jwtDefaults,
      blockedCidrs: [],
      ...raw.jwt,
      cache: { ...jwtDefaults.cache, ...raw.jwt?.cache },
      caFile: optionalFile(raw.jwt?.caFile),
    },
    ca: raw.ca === undefined ? undefined : convertCa(raw.ca, file),
    logging: { level: raw.logging?.level ?? "info" },
  };
}

function claim(workload: RawListener["workload"]): WorkloadClaim | undefined {
  if (workload === undefined) return undefined;
  const { labels, ...rest } = workload;
  return labels === undefined ? rest : { ...rest, labels: new Map(Object.entries(labels)) };
}
