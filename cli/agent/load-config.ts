import { dirname, resolve } from "node:path";
import type { Attestation } from "#ca/agent/attest";
import type { FileSettings } from "#ca/agent/certificate-files";
import { serverSpiffeId } from "#ca/authorities/server-certificate";
import { parseSpiffeId, type SpiffeId } from "#identity/spiffe-id";
import { parseAddress } from "#platform/address";
import type { ConfigFinding } from "../config/codes.ts";
import { type Environment, readConfigText, readRaw } from "../config/read-raw.ts";
import { checkAgentRules } from "./check-rules.ts";
import { agentDefaults } from "./defaults.ts";
import type { AgentConfig, RawAgent, RawAgentIdentity } from "./model.ts";
import { agentSchema } from "./schema.ts";

export type AgentConfigResult =
  | { readonly ok: true; readonly config: AgentConfig }
  | { readonly ok: false; readonly findings: readonly ConfigFinding[] };

/** Reads the agent's configuration and lays the environment over it. Never rejects: what is wrong comes back as findings. */
export async function loadAgentConfig(path: string, environment: Environment): Promise<AgentConfigResult> {
  const read = await readConfigText(path);
  return read.ok ? readAgentConfig(read.text, path, environment) : read;
}

/** Makes a configuration of a file's text. `file` stands in findings; relative paths are read from its folder. */
export async function readAgentConfig(
  text: string,
  file: string,
  environment: Environment,
): Promise<AgentConfigResult> {
  const description = { schema: agentSchema, checkRules: checkAgentRules };
  const read = await readRaw<RawAgent>(text, file, description, environment);
  return read.ok ? { ok: true, config: convert(read.raw, dirname(resolve(file))) } : read;
}

/** Fills in defaults and makes paths absolute. The input passed every check. */
function convert(raw: RawAgent, folder: string): AgentConfig {
  const file = (path: string) => resolve(folder, path);
  const { authority, identities } = raw;
  const { trustDomain } = idOf(identities[0]!.spiffeId);
  return {
    authority: {
      address: tcpAddress(authority.address),
      serverName: authority.serverName,
      serverSpiffeId: authority.serverSpiffeId ?? serverSpiffeId(trustDomain),
    },
    trustDomain,
    stateFolder: file(raw.stateFolder),
    statusSocket: raw.statusSocket === undefined ? undefined : file(raw.statusSocket),
    identities: identities.map((identity) => ({
      spiffeId: idOf(identity.spiffeId),
      keyKind: identity.keyKind ?? agentDefaults.keyKind,
      ttlSeconds: identity.ttlSeconds,
      socket: file(identity.socket),
      socketMode: modeOf(identity.socketMode ?? agentDefaults.socketMode),
      attestation: attestationOf(identity, authority, file),
      files: filesOf(identity.files, file),
    })),
    logging: { level: raw.logging?.level ?? "info" },
  };
}

function attestationOf(
  { joinTokenFile, jwtFile = "" }: RawAgentIdentity,
  { bundleFile, rootFingerprint = "" }: RawAgent["authority"],
  file: (path: string) => string,
): Attestation {
  if (joinTokenFile !== undefined) return { kind: "join-token", file: file(joinTokenFile) };
  const roots =
    bundleFile === undefined
      ? ({ kind: "fingerprint", sha256: rootFingerprint } as const)
      : ({ kind: "file", file: file(bundleFile) } as const);
  return { kind: "jwt", file: file(jwtFile), roots };
}

function filesOf(files: RawAgentIdentity["files"], file: (path: string) => string): FileSettings | undefined {
  if (files === undefined) return undefined;
  const { folder, key, chain, bundle, keyMode, mode, reload } = files;
  const { fileNames } = agentDefaults;
  return {
    folder: file(folder),
    names: { key: key ?? fileNames.key, chain: chain ?? fileNames.chain, bundle: bundle ?? fileNames.bundle },
    keyMode: modeOf(keyMode ?? agentDefaults.keyMode),
    mode: modeOf(mode ?? agentDefaults.mode),
    reload: reload && {
      command: reload.command,
      timeoutMillis: (reload.timeoutSeconds ?? agentDefaults.reloadTimeoutSeconds) * 1000,
    },
  };
}

function tcpAddress(text: string): AgentConfig["authority"]["address"] {
  const address = parseAddress(text);
  if (address?.kind !== "tcp") throw new Error("an address that was checked is none");
  return address;
}

function modeOf(text: string): number {
  return Number.parseInt(text, 8);
}

function idOf(text: string): SpiffeId {
  const parsed = parseSpiffeId(text);
  if (!parsed.ok) throw new Error(`a SPIFFE ID that was checked is none: ${parsed.fault}`);
  return parsed.id;
}
