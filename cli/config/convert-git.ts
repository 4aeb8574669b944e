import type { GitReference, GitSettings, SignatureSettings } from "#authz/rulesets/git/settings";
import type { StalenessSettings } from "#authz/rulesets/staleness";
import { gitDefaults } from "./git-defaults.ts";
import type { RawConfig, ServiceConfig } from "./model.ts";

/** What `policies.git` says, once the schema has passed it. */
export interface RawGit {
  readonly url: string;
  readonly branch?: string;
  readonly tag?: string;
  readonly path?: string;
  readonly folder: string;
  readonly pollSeconds?: number;
  readonly timeoutSeconds?: number;
  readonly maxMirrorBytes?: number;
  readonly sshKeyFile?: string;
  readonly knownHostsFile?: string;
  readonly tokenFile?: string;
  readonly username?: string;
  readonly caFile?: string;
  readonly signatures?: {
    readonly mode?: SignatureSettings["mode"];
    readonly allowedSignersFile?: string;
    readonly openpgpKeysFile?: string;
  };
  readonly allowForced?: boolean;
  readonly tests?: GitSettings["tests"];
  readonly maxStaleSeconds?: number;
  readonly onStale?: StalenessSettings["reaction"];
}

/** Fills in defaults and makes paths absolute with `file`. One of the two is there. */
export function convertPolicies(
  { directory, git }: RawConfig["policies"],
  file: (path: string) => string,
): ServiceConfig["policies"] {
  if (git === undefined) return { directory: file(directory!) };
  const { maxStaleSeconds, onStale: reaction = gitDefaults.onStale } = git;
  const staleness = maxStaleSeconds === undefined ? undefined : { maxStaleMillis: maxStaleSeconds * 1000, reaction };
  return { git: { settings: convertGit(git, file), staleness } };
}

/** The settings of a source, with defaults, and paths made absolute with `file`. */
export function convertGit(git: RawGit, file: (path: string) => string): GitSettings {
  const optional = (path: string | undefined) => (path === undefined ? undefined : file(path));
  const { signatures, pollSeconds, timeoutSeconds, ...raw } = { ...gitDefaults, ...git };
  return {
    url: raw.url,
    reference: referenceOf(git),
    path: git.path?.replace(/\/$/, "") ?? "",
    folder: file(raw.folder),
    credentials: {
      sshKeyFile: optional(git.sshKeyFile),
      knownHostsFile: optional(git.knownHostsFile),
      tokenFile: optional(git.tokenFile),
      username: raw.username,
      caFile: optional(git.caFile),
    },
    timeoutMillis: timeoutSeconds * 1000,
    maxMirrorBytes: raw.maxMirrorBytes,
    pollMillis: pollSeconds * 1000,
    allowForced: git.allowForced ?? false,
    signatures: signatures && {
      mode: signatures.mode ?? "head",
      allowedSignersFile: optional(signatures.allowedSignersFile),
      openpgpKeysFile: optional(signatures.openpgpKeysFile),
    },
    tests: raw.tests,
  };
}

function referenceOf({ branch, tag }: RawGit): GitReference {
  if (branch !== undefined) return { kind: "branch", name: branch };
  return tag === undefined ? { kind: "default" } : { kind: "tag", name: tag };
}
