import { parseRemote } from "./parse-remote.ts";
import type { GitSettings } from "./settings.ts";

/** What is wrong with a setting, by the name of the setting. */
export interface SettingFault {
  readonly setting: "url" | "branch" | "tag" | "path" | "credentials" | "signatures";
  readonly message: string;
}

type Checked = Pick<GitSettings, "url" | "reference" | "path" | "credentials" | "signatures">;

/**
 * What git could take for something else than it is meant to be, and what others on the way could read or change. No fault repeats a URL: it may hold a
 * password.
 */
export function checkGitSettings(settings: Checked): readonly SettingFault[] {
  return checks.flatMap((check) => check(settings) ?? []);
}

const checks: readonly ((settings: Checked) => SettingFault | undefined)[] = [
  ({ url }) => {
    const parsed = parseRemote(url);
    return parsed.ok ? undefined : { setting: "url", message: `not a URL that git is sent to: ${parsed.fault}` };
  },
  ({ reference }) => {
    if (reference.kind === "default" || isReferenceName(reference.name)) return undefined;
    return { setting: reference.kind, message: `not the name of a ${reference.kind}: \`${reference.name}\`` };
  },
  ({ path }) =>
    path === "" || isPlainPath(path)
      ? undefined
      : { setting: "path", message: `not a folder inside a repository: \`${path}\`` },
  ({ url, signatures }) => {
    const parsed = parseRemote(url);
    if (!parsed.ok || parsed.remote.guarded || signatures !== undefined) return undefined;
    const { transport } = parsed.remote;
    return {
      setting: "url",
      message: `whoever is between could change policies over ${transport}: use https or ssh, or demand \`signatures\``,
    };
  },
  ({ url, credentials: { sshKeyFile, knownHostsFile, tokenFile } }) => {
    const parsed = parseRemote(url);
    if (!parsed.ok) return undefined;
    const { transport, guarded, origin } = parsed.remote;
    if (tokenFile !== undefined && (origin === undefined || !guarded))
      return { setting: "credentials", message: "a token is sent over https alone" };
    if (transport === "ssh" && (sshKeyFile === undefined || knownHostsFile === undefined))
      return { setting: "credentials", message: "ssh needs `sshKeyFile` and `knownHostsFile`" };
    const quoted = [sshKeyFile, knownHostsFile].find((path) => path !== undefined && /["\\\p{Cc}]/u.test(path));
    if (quoted === undefined) return undefined;
    return { setting: "credentials", message: `ssh cannot be told this path: \`${quoted}\`` };
  },
  ({ signatures }) =>
    signatures !== undefined && signatures.allowedSignersFile === undefined && signatures.openpgpKeysFile === undefined
      ? { setting: "signatures", message: "expected `allowedSignersFile` or `openpgpKeysFile`: nobody could sign" }
      : undefined,
];

/** git-check-ref-format(1), with a length that file systems take. */
function isReferenceName(name: string): boolean {
  return (
    name.length > 0 &&
    name.length <= 200 &&
    !/^[-/]|\/$|\.$|\.\.|\/\/|@\{|[\p{Cc}\s~^:?*[\\]/u.test(name) &&
    name !== "@" &&
    !name.split("/").some((part) => part.startsWith(".") || part.endsWith(".lock"))
  );
}

function isPlainPath(path: string): boolean {
  return !/^-|\p{Cc}/u.test(path) && path.split("/").every((part) => part !== "" && part !== "." && part !== "..");
}
