import type { Remote } from "./parse-remote.ts";
import type { GitCredentials } from "./settings.ts";

export type GitEnvironment = Readonly<Record<string, string>>;

export interface EnvironmentParts {
  readonly remote: Remote;
  readonly credentials: GitCredentials;
  /** The bare repository. */
  readonly mirror: string;
  /** Of the program: where git is found, and the proxies of HTTP, is all that is taken from it. */
  readonly outside: Readonly<Record<string, string | undefined>>;
}

const inherited = ["PATH", "HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "NO_PROXY", "no_proxy"];

/**
 * Everything that git is told beside its arguments, and nothing else: no configuration of the system or the user, no prompt, no program of a
 * repository, one transport. A secret is never in it: the names of files are.
 */
export function gitEnvironment({ remote, credentials, mirror, outside }: EnvironmentParts): GitEnvironment {
  const taken = inherited.flatMap((name) => (outside[name] === undefined ? [] : [[name, outside[name]] as const]));
  return {
    ...Object.fromEntries(taken),
    HOME: mirror, // `.netrc`, `.ssh` and `.gnupg` of the user are not read.
    // A signature is verified out of a file, and no other folder is known to be writable: without the file git calls a signed commit unsigned.
    TMPDIR: mirror,
    LC_ALL: "C",
    GIT_DIR: mirror,
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_CONFIG_GLOBAL: "/dev/null",
    GIT_ATTR_NOSYSTEM: "1",
    GIT_TERMINAL_PROMPT: "0",
    GIT_ASKPASS: "",
    SSH_ASKPASS: "",
    GIT_NO_REPLACE_OBJECTS: "1",
    GIT_OPTIONAL_LOCKS: "0",
    // What lacks is never fetched one by one; from a server without git behind it that has no end.
    GIT_NO_LAZY_FETCH: "1",
    GIT_ALLOW_PROTOCOL: remote.transport,
    ...sshOf(remote, credentials),
    ...tokenOf(credentials),
    ...configuration([...fixed, ["remote.origin.url", remote.url], ...httpOf(remote, credentials)]),
  };
}

/** `environment` for reading what is there: no object is fetched that the mirror lacks. */
export function withoutRemote(environment: GitEnvironment): GitEnvironment {
  return { ...environment, GIT_ALLOW_PROTOCOL: "none" };
}

/** `environment` with more of git's configuration. */
export function withConfiguration(
  environment: GitEnvironment,
  pairs: readonly (readonly [key: string, value: string])[],
): GitEnvironment {
  const count = Number(environment["GIT_CONFIG_COUNT"]);
  return { ...environment, ...configuration(pairs, count) };
}

const fixed: readonly (readonly [key: string, value: string])[] = [
  ["core.hooksPath", "/dev/null"],
  ["core.attributesFile", "/dev/null"],
  ["core.fsmonitor", "false"],
  ["protocol.version", "2"],
  ["fetch.recurseSubmodules", "false"],
  ["submodule.recurse", "false"],
  ["maintenance.auto", "false"],
  ["gc.autoDetach", "false"],
  // A server that sends elsewhere would see what is sent to the one that was named.
  ["http.followRedirects", "false"],
  ["http.lowSpeedLimit", "1000"],
  ["http.lowSpeedTime", "30"],
  ["credential.helper", ""],
];

/** git-config(1), `GIT_CONFIG_COUNT`: pairs that stand before those of any file. */
function configuration(pairs: readonly (readonly [key: string, value: string])[], from = 0): Record<string, string> {
  const entries = pairs.flatMap(([key, value], i) => [
    [`GIT_CONFIG_KEY_${from + i}`, key],
    [`GIT_CONFIG_VALUE_${from + i}`, value],
  ]);
  return { ...Object.fromEntries(entries), GIT_CONFIG_COUNT: String(from + pairs.length) };
}

/** gitcredentials(7): run by `sh`, whose `printf` is its own, so that the token is an argument of no program. */
const credentialHelper = `!f() { test "$1" = get && printf 'username=%s\\npassword=%s\\n' "$GARITA_GIT_USERNAME" "$(tr -d '\\r\\n' <"$GARITA_GIT_TOKEN_FILE")"; }; f`;

function httpOf({ origin }: Remote, { tokenFile, caFile }: GitCredentials): [string, string][] {
  if (origin === undefined) return [];
  return [
    ...(tokenFile === undefined ? [] : [[`credential.${origin}.helper`, credentialHelper] as [string, string]]),
    ...(caFile === undefined ? [] : [["http.sslCAInfo", caFile] as [string, string]]),
  ];
}

function tokenOf({ tokenFile, username }: GitCredentials): Record<string, string> {
  if (tokenFile === undefined) return {};
  return { GARITA_GIT_TOKEN_FILE: tokenFile, GARITA_GIT_USERNAME: username };
}

/** ssh_config(5): one key, one file of host keys, no agent, no question, nothing forwarded, nothing run here. */
function sshOf({ transport }: Remote, { sshKeyFile, knownHostsFile }: GitCredentials): Record<string, string> {
  if (transport !== "ssh" || sshKeyFile === undefined || knownHostsFile === undefined) return {};
  const options = [
    "BatchMode=yes",
    "StrictHostKeyChecking=yes",
    `UserKnownHostsFile="${escaped(knownHostsFile)}"`,
    "GlobalKnownHostsFile=/dev/null",
    "UpdateHostKeys=no",
    "IdentitiesOnly=yes",
    "IdentityAgent=none",
    `IdentityFile="${escaped(sshKeyFile)}"`,
    "PreferredAuthentications=publickey",
    "ClearAllForwardings=yes",
    "ForwardAgent=no",
    "PermitLocalCommand=no",
    "ConnectTimeout=20",
  ];
  const words = ["ssh", "-F", "/dev/null", ...options.flatMap((option) => ["-o", option])];
  return { GIT_SSH_VARIANT: "ssh", GIT_SSH_COMMAND: words.map(quoted).join(" ") };
}

/** ssh_config(5), TOKENS. */
function escaped(path: string): string {
  return path.replaceAll("%", "%%");
}

/** One word for `sh`. */
function quoted(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}
