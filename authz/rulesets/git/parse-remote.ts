import { isLocal } from "#platform/address";

export type Transport = "https" | "http" | "ssh" | "git" | "file";

/** A place that git may be sent to. */
export interface Remote {
  /** As it is given to git. */
  readonly url: string;
  /** The only transport that git is allowed for it. */
  readonly transport: Transport;
  /** `https://host:port`, where credentials count; undefined where HTTP is not spoken. */
  readonly origin: string | undefined;
  /** What passes can be neither read nor changed by others on the way. */
  readonly guarded: boolean;
}

export type ParsedRemote =
  | { readonly ok: true; readonly remote: Remote }
  | { readonly ok: false; readonly fault: string };

const transports = new Map<string, Transport>([
  ["https:", "https"],
  ["http:", "http"],
  ["ssh:", "ssh"],
  ["git:", "git"],
  ["file:", "file"],
]);

/**
 * A URL of a repository, git's short form `user@host:path`, or an absolute path. Whatever git would take for an option, or for the name of a program
 * (`ext::`, `fd::` and other helpers), is refused. Faults do not repeat the text: it may hold a password.
 */
export function parseRemote(text: string): ParsedRemote {
  if (/\p{Cc}|\s/u.test(text)) return refused("it has a space or a control character");
  if (text.startsWith("-")) return refused("git would take it for an option");
  if (/^[^/:]*::/.test(text)) return refused("remote helpers (`ext::` and the like) run programs");
  if (text.startsWith("/")) return { ok: true, remote: remoteOf(`file://${text}`, "file", undefined, true) };
  return /^[a-z0-9+.-]+:\/\//i.test(text) ? parseUrl(text) : parseShortForm(text);
}

function parseUrl(text: string): ParsedRemote {
  if (!URL.canParse(text)) return refused("it is no URL");
  const url = new URL(text);
  const transport = transports.get(url.protocol);
  if (transport === undefined) return refused(`expected one of ${[...transports.values()].join(", ")} before \`://\``);
  if (transport === "file") {
    if (url.host !== "" && url.host !== "localhost") return refused("`file://` names a path of this machine alone");
    return { ok: true, remote: remoteOf(text, transport, undefined, true) };
  }
  const [user, host, path] = [plain(url.username), url.hostname, plain(url.pathname)];
  if (url.password !== "") return refused("it holds a password, which logs would show");
  if (transport !== "ssh" && user !== "") return refused("it holds a user, which may be a token: use `tokenFile`");
  if (host === "" || host.startsWith("-") || user.startsWith("-")) return refused("it names no host");
  if (/^\/*-/.test(path)) return refused("git would take its path for an option");
  if (url.search !== "" || url.hash !== "") return refused("it has a query or a fragment");
  const origin = transport === "https" || transport === "http" ? `${url.protocol}//${url.host}` : undefined;
  const guarded =
    transport === "https" ||
    transport === "ssh" ||
    isLocal({ kind: "tcp", host: host.replace(/^\[|\]$/g, ""), port: 0 });
  return { ok: true, remote: remoteOf(text, transport, origin, guarded) };
}

/** git-clone(1): `user@host:path`. */
function parseShortForm(text: string): ParsedRemote {
  const found = /^(?:([A-Za-z0-9_][\w.-]*)@)?(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9][A-Za-z0-9.-]*):(?!-)([^:]+)$/.exec(text);
  if (found === null) return refused("expected a URL, `user@host:path` or an absolute path");
  return { ok: true, remote: remoteOf(text, "ssh", undefined, true) };
}

/** Without its escapes; as it stands where they are none. */
function plain(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function remoteOf(url: string, transport: Transport, origin: string | undefined, guarded: boolean): Remote {
  return { url, transport, origin, guarded };
}

function refused(fault: string): ParsedRemote {
  return { ok: false, fault };
}
