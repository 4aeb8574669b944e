import type { GitReference, GitSettings, SignatureSettings } from "#authz/rulesets/git/settings";
import type { StalenessSettings } from "#authz/rulesets/staleness";
import type { TlsFiles } from "#platform/tls-material";
import { convertBundle } from "./convert-bundle.ts";
import { convertAddress, convertTls } from "./convert-places.ts";
import { gitDefaults } from "./git-defaults.ts";
import type { RawConfig, ServiceConfig, WebhookConfig } from "./model.ts";
import { convertStaleness } from "./staleness-keys.ts";

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
  readonly webhook?: { readonly address: string; readonly secretFile: string; readonly tls?: TlsFiles };
}

/** Fills in defaults and makes paths absolute with `file`. One of them is there. */
export function convertPolicies(
  { directory, git, bundle }: RawConfig["policies"],
  file: (path: string) => string,
): ServiceConfig["policies"] {
  if (git !== undefined) {
    const webhook = git.webhook && convertWebhook(git.webhook, file);
    return { git: { settings: convertGit(git, file), staleness: convertStaleness(git), webhook } };
  }
  return bundle === undefined ? { directory: file(directory!) } : { bundle: convertBundle(bundle, file) };
}

function convertWebhook(
  { address, secretFile, tls }: NonNullable<RawGit["webhook"]>,
  file: (path: string) => string,
): WebhookConfig {
  return { address: convertAddress(address, file), secretFile: file(secretFile), tls: convertTls(tls, file) };
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
