import { dirname, resolve } from "node:path";
import type { WorkloadClaim } from "#authz/check/contract";
import { parseAddress } from "#platform/address";
import type { TlsFiles } from "#platform/tls-material";
import { checkRules } from "./check-rules.ts";
import type { ConfigFinding } from "./codes.ts";
import { convertCa } from "./convert-ca.ts";
import { convertPolicies } from "./convert-git.ts";
import { jwtDefaults } from "./jwt-defaults.ts";
import type { RawConfig, RawListener, ServiceConfig } from "./model.ts";
import { type Environment, readConfigText, readRaw } from "./read-raw.ts";
import { configSchema } from "./schema.ts";

export type ConfigResult =
  | { readonly ok: true; readonly config: ServiceConfig }
  | { readonly ok: false; readonly findings: readonly ConfigFinding[] };

/** A reading of the file, with what it says, so that two readings of one text can be told from two texts. */
export type LoadedConfig = ConfigResult & {
  /** The file's text; empty where it cannot be read. */
  readonly text: string;
};

/** Reads a configuration file and lays the environment over it. Never rejects: what is wrong comes back as findings. */
export async function loadConfig(path: string, environment: Environment): Promise<LoadedConfig> {
  const read = await readConfigText(path);
  return read.ok ? { ...(await readConfig(read.text, path, environment)), text: read.text } : read;
}

/** Makes a configuration of a file's text. `file` stands in findings; relative paths are read from its folder. */
export async function readConfig(text: string, file: string, environment: Environment): Promise<ConfigResult> {
  const read = await readRaw<RawConfig>(text, file, { schema: configSchema, checkRules }, environment);
  return read.ok ? { ok: true, config: convert(read.raw, dirname(resolve(file))) } : read;
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
    revocations: raw.revocations && {
      ...raw.revocations,
      address: address(raw.revocations.address),
      serverName: raw.revocations.serverName,
      bundleFile: file(raw.revocations.bundleFile),
      certificateFile: file(raw.revocations.certificateFile),
      keyFile: file(raw.revocations.keyFile),
      stateFile: file(raw.revocations.stateFile),
      required: raw.revocations.required ?? false,
    },
    logging: { level: raw.logging?.level ?? "info" },
  };
}

function claim(workload: RawListener["workload"]): WorkloadClaim | undefined {
  if (workload === undefined) return undefined;
  const { labels, ...rest } = workload;
  return labels === undefined ? rest : { ...rest, labels: new Map(Object.entries(labels)) };
}
