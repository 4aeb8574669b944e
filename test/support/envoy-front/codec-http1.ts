import { hasControl, trim } from "./bytes.ts";
import type { DownstreamRequest, OwnReply } from "./downstream.ts";
import { HeaderMap } from "./header-map.ts";

/** Methods that Envoy's HTTP/1 parser knows; any other is refused before a policy sees it. */
const methods: ReadonlySet<string> = new Set(
  (
    "ACL BIND CHECKOUT CONNECT COPY DELETE GET HEAD LINK LOCK MERGE MKACTIVITY MKCALENDAR MKCOL MOVE MSEARCH NOTIFY OPTIONS " +
    "PATCH POST PROPFIND PROPPATCH PURGE PUT QUERY REBIND REPORT SEARCH SOURCE SUBSCRIBE TRACE UNBIND UNLINK UNLOCK UNSUBSCRIBE"
  ).split(" "),
);

/** User info, which is cut off, then a host and a port. */
const absoluteAuthority = /^(?:[^@]*@)?(([A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(?::(\d+))?)$/;

const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

/**
 * A request as the HTTP/1 codec hands it on, or Envoy's own answer to one that it refuses. `https` false: a target that
 * claims `https://` is refused; so do listeners at the edge without trusted proxies on plaintext.
 */
export function readHttp1(request: DownstreamRequest, https: boolean): HeaderMap | OwnReply {
  if (!methods.has(request.method)) return refused("http1.codec_error");
  // Any white space may stand around it.
  const target = trim(request.target);
  if (!/^[\x21-\x7e]+$/.test(target)) return refused("http1.codec_error");
  if (request.protocol === "HTTP/1.0") return { status: 426, body: "Upgrade Required", details: "low_version" };

  const headers = new HeaderMap();
  headers.receive(":method", request.method);
  if (request.authority !== undefined) headers.receive(":authority", trim(request.authority));
  for (const [name, raw] of request.headers) {
    if (!token.test(name)) return refused("http1.codec_error");
    const value = trim(raw);
    if (hasControl(value)) return refused("http1.invalid_characters");
    const again = headers.get(name) !== undefined;
    if (name.toLowerCase() === "content-length" && (again || !/^\d+$/.test(value))) return refused("http1.codec_error");
    headers.receive(name, value);
  }
  return (
    dropNamed(headers) ??
    readTarget(request.method, target, headers, https) ??
    refuseCoding(headers) ??
    dropHopByHop(headers) ??
    headers
  );
}

/** Origin form, absolute form, `*`; anything else is refused. */
function readTarget(method: string, target: string, headers: HeaderMap, https: boolean): OwnReply | undefined {
  if (method === "CONNECT") {
    if (!/^[^/]+:\d+$/.test(target)) return refused("http1.invalid_url");
    headers.set(":authority", target);
    return undefined;
  }
  if (target === "*" && method !== "OPTIONS") return refused("http1.codec_error");
  if (target.startsWith("/") || target === "*") {
    headers.set(":path", target);
    return undefined;
  }
  return readAbsolute(target, headers, https);
}

function readAbsolute(target: string, headers: HeaderMap, https: boolean): OwnReply | undefined {
  const parts = /^([A-Za-z][A-Za-z0-9+.-]*):\/\/([^/?#]*)(.*)$/s.exec(target);
  if (parts === null) return refused("http1.codec_error");
  const [, scheme = "", authority = "", rest = ""] = parts;
  const folded = scheme.toLowerCase();
  if (folded !== "http" && folded !== "https") return refused("http1.invalid_scheme");
  if (folded === "https" && !https) {
    return { status: 403, body: "Forbidden", details: "http1.https_url_on_plaintext_connection" };
  }
  const [, host, , port] = absoluteAuthority.exec(authority) ?? [];
  if (host === undefined || Number(port ?? 0) > 65535 || rest.startsWith("#")) return refused("http1.invalid_url");
  headers.set(":authority", host);
  headers.set(":path", rest === "" ? "/" : rest);
  headers.set(":scheme", folded);
  return undefined;
}

/** A body has one length, and one coding that Envoy can undo. */
function refuseCoding(headers: HeaderMap): OwnReply | undefined {
  const coding = headers.get("transfer-encoding");
  if (coding === undefined) return undefined;
  if (coding.toLowerCase() !== "chunked") {
    return { status: 501, body: "Not Implemented", details: "http1.invalid_transfer_encoding" };
  }
  return headers.get("content-length") === undefined ? undefined : refused("http1.codec_error");
}

/** Naming one of these in `Connection` would hide where the request came from. */
const neverNamed: ReadonlySet<string> = new Set(["x-forwarded-for", "x-forwarded-host", "x-forwarded-proto"]);

/** What `Connection` names goes (RFC 9110 §7.6.1): before the target is read, so that a target may bring a new host. */
function dropNamed(headers: HeaderMap): OwnReply | undefined {
  const named = namedByConnection(headers);
  if (named.some((name) => name.startsWith(":") || neverNamed.has(name))) {
    return refused("http1.connection_header_rejected");
  }
  for (const name of named) if (name !== "te" && name !== "upgrade") headers.remove(name);
  return undefined;
}

/** The headers that speak of one hop alone go, but for an upgrade that is configured. */
function dropHopByHop(headers: HeaderMap): OwnReply | undefined {
  const upgrade = headers.get("upgrade")?.toLowerCase();
  const upgrading = namedByConnection(headers).includes("upgrade") && upgrade !== undefined && upgrade !== "h2c";
  if (headers.get(":method") === "CONNECT" || (upgrading && upgrade !== "websocket")) {
    return { status: 403, body: "", details: "upgrade_failed" };
  }
  for (const name of ["keep-alive", "proxy-connection", "transfer-encoding"]) headers.remove(name);
  if (!upgrading) for (const name of ["connection", "upgrade"]) headers.remove(name);
  return undefined;
}

function namedByConnection(headers: HeaderMap): readonly string[] {
  const words = (headers.get("connection") ?? "").split(",").map((word) => trim(word).toLowerCase());
  return words.filter((word) => word !== "");
}

function refused(details: string): OwnReply {
  return { status: 400, body: "Bad Request", details };
}
