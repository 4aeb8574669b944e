import { fold, hasControl, hasControlOrSpace } from "./bytes.ts";
import { isAuthority } from "./connection-manager.ts";
import type { DownstreamRequest, OwnReply } from "./downstream.ts";
import { HeaderMap } from "./header-map.ts";

/** Headers that belong to one HTTP/1 hop; over HTTP/2 they reset the stream. */
const hopByHop: ReadonlySet<string> = new Set([
  "connection",
  "keep-alive",
  "proxy-connection",
  "transfer-encoding",
  "upgrade",
]);

/** A request as the HTTP/2 codec hands it on, or the reset that Envoy gives a malformed one. */
export function readHttp2(request: DownstreamRequest): HeaderMap | OwnReply {
  const pseudo: readonly (readonly [string, string | undefined])[] = [
    [":method", request.method],
    [":scheme", fold(request.scheme)],
    [":authority", request.authority],
    [":path", request.target],
  ];
  if (!request.omit.includes(":scheme") && !/^[a-z][a-z0-9+.-]*$/.test(fold(request.scheme))) {
    return reset("http2.invalid.header.field");
  }
  const headers = new HeaderMap();
  for (const [name, value] of pseudo) {
    if (value === undefined || request.omit.includes(name)) continue;
    if (value === "" || hasControlOrSpace(value)) return reset("http2.invalid.header.field");
    headers.receive(name, value);
  }

  let cookie = "";
  if (request.headers.filter(([name]) => name === "host").length > 1) return reset("http2.invalid.header.field");
  for (const [name, value] of request.headers) {
    const reason = refusal(name, value);
    if (reason !== undefined) return reset(reason);
    if (name === "cookie") cookie += cookie === "" ? value : `; ${value}`;
    else if (name !== "host") headers.receive(name, value);
    else if (headers.get(":authority") === undefined) headers.receive(":authority", value);
  }
  // RFC 9113 §8.2.3: crumbs of one cookie header are put together again.
  if (cookie !== "") headers.receive("cookie", cookie);

  if (!isAuthority(headers.get(":authority") ?? "") || /@/.test(headers.get(":authority") ?? "")) {
    return reset("http2.invalid.header.field");
  }
  if (headers.get(":method") === "CONNECT") {
    // RFC 9113 §8.5: without scheme and path; such a one is an upgrade that nobody configured.
    return headers.get(":scheme") === undefined && headers.get(":path") === undefined
      ? { status: 403, body: "", details: "upgrade_failed" }
      : reset("http2.violation.of.messaging.rule");
  }
  for (const name of [":method", ":scheme", ":authority"]) {
    if (headers.get(name) === undefined) return reset("http2.violation.of.messaging.rule");
  }
  const path = headers.get(":path");
  const everything = path === "*" && headers.get(":method") === "OPTIONS";
  if (path?.startsWith("/") !== true && !everything) return reset("http2.violation.of.messaging.rule");
  return headers;
}

function refusal(name: string, value: string): string | undefined {
  if (name === "" || name.startsWith(":") || /[^!#$%&'*+.^_`|~0-9a-z-]/.test(name)) return "http2.invalid.header.field";
  if (hasControl(value)) return "http2.invalid.header.field";
  if (hopByHop.has(name)) return "http2.invalid.header.field";
  if (name === "te" && fold(value) !== "trailers") return "http2.invalid.header.field";
  if (name === "host" && (value === "" || !isAuthority(value))) return "http2.invalid.header.field";
  if (name === "content-length" && !/^\d+$/.test(value)) return "http2.invalid.header.field";
  return undefined;
}

function reset(details: string): OwnReply {
  return { status: undefined, body: "", details };
}
