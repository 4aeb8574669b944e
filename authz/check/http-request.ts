import type { ByteString } from "#policy-compiler/ruleset/model";
import type { HttpCheckRequest, ListenerSettings } from "./contract.ts";
import type { CheckHttp, CheckPeer, CheckRequest } from "./wire/check-request.ts";

const NONE: readonly never[] = Object.freeze([]);

/** Header lines by lower-case name, each name's in order. */
export type HeaderLinesByName = ReadonlyMap<string, readonly ByteString[]>;

export type ReadHttpRequest =
  | { readonly ok: true; readonly request: CheckRequest }
  | { readonly ok: false; readonly fault: string };

export function groupHeaders(headers: HttpCheckRequest["headers"]): HeaderLinesByName {
  const groups = new Map<string, ByteString[]>();
  for (const [name, value] of headers) {
    const key = name.toLowerCase();
    const lines = groups.get(key);
    if (lines === undefined) groups.set(key, [value]);
    else lines.push(value);
  }
  return groups;
}

/**
 * What Envoy's HTTP service was asked, in the shape of a gRPC check that brings no peer, no TLS session and no metadata: those
 * are unknown here unless attribute headers bring them. The destination is the listener's word. Headers are joined: Envoy
 * writes each name once.
 */
export function readHttpRequest(
  received: HttpCheckRequest,
  headers: HeaderLinesByName,
  listener: Pick<ListenerSettings, "destination" | "pathPrefix">,
): ReadHttpRequest {
  const hosts = headers.get("host") ?? NONE;
  if (hosts.length > 1) return { ok: false, fault: "more than one host" };
  const target = readTarget(received, hosts[0]);
  if (target === undefined) return { ok: false, fault: "the target names another host than the Host header" };
  const path = cutPrefix(target.path, listener.pathPrefix);
  if (path === undefined) return { ok: false, fault: "the target does not begin with the listener's path prefix" };
  const http: CheckHttp = {
    method: received.method,
    host: target.host,
    path,
    scheme: "",
    protocol: "",
    body: () => received.body,
    raw: false,
    headerLines: (name) => headers.get(name === ":authority" ? "host" : name) ?? NONE,
    headerNamesBeginning: (prefix) => [...headers.keys()].filter((name) => name.startsWith(prefix)),
  };
  const { destination } = listener;
  return {
    ok: true,
    request: {
      source: nobody,
      destination: { ...nobody, address: destination?.address, port: destination?.port ?? 0 },
      http,
      tlsSession: undefined,
      contextExtension: () => undefined,
      contextExtensionsText: () => undefined,
      metadata: () => undefined,
      hasMetadataNamespace: () => false,
    },
  };
}

/**
 * RFC 9112 §3.2: origin form; absolute form; CONNECT's authority, which is no path. Undefined: two hosts. By the standard the
 * authority of an absolute form replaces the Host header, but whoever asks us may forward the one or the other (Envoy sends no
 * absolute form), so that only one that both agree on, and without a user's name in front, can be decided on.
 */
function readTarget(
  { method, target }: HttpCheckRequest,
  host: ByteString | undefined,
): { host: ByteString; path: ByteString } | undefined {
  if (method === "CONNECT") return { host: host || target, path: "" };
  const absolute = /^https?:\/\/([^/?#]*)(.*)$/is.exec(target);
  if (absolute === null) return { host: host ?? "", path: target };
  const [, authority = "", rest = ""] = absolute;
  if (authority.includes("@") || (host !== undefined && authority.toLowerCase() !== host.toLowerCase()))
    return undefined;
  return { host: authority, path: rest === "" ? "/" : rest };
}

/** Undefined: it does not begin with it. A target that is no path is left for others to refuse. */
function cutPrefix(path: ByteString, prefix: string): ByteString | undefined {
  if (prefix === "" || !path.startsWith("/")) return path;
  if (!path.startsWith(prefix)) return undefined;
  const rest = path.slice(prefix.length);
  if (rest.startsWith("/")) return rest;
  return undefined;
}

const nobody: CheckPeer = {
  address: undefined,
  port: 0,
  service: "",
  principal: "",
  certificate: "",
  label: () => undefined,
};
