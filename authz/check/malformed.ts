import { type Refusal, type Reply, refusal } from "./refusal.ts";
import type { CheckHttp } from "./wire/check-request.ts";

/** Envoy's own answers to requests that its front end, as Istio sets it up, does not let through to any policy. */
const replies = {
  unknownMethod: { status: 400, body: "Bad Request" },
  oldProtocol: { status: 426, body: "Upgrade Required" },
  noHost: { status: 400, body: "" },
  connect: { status: 403, body: "" },
  noPath: { status: 404, body: "" },
} as const satisfies Record<string, Reply>;

/** The methods that Envoy's HTTP/1 parser knows. HTTP/2 carries any. */
const knownMethods: ReadonlySet<string> = new Set(
  (
    "ACL BIND CHECKOUT CONNECT COPY DELETE GET HEAD LINK LOCK MERGE MKACTIVITY MKCALENDAR MKCOL MOVE MSEARCH NOTIFY OPTIONS " +
    "PATCH POST PROPFIND PROPPATCH PURGE PUT QUERY REBIND REPORT SEARCH SOURCE SUBSCRIBE TRACE UNBIND UNLINK UNLOCK UNSUBSCRIBE"
  ).split(" "),
);

/**
 * What an Envoy as Istio configures it answers before any filter, whatever the policies: unknown HTTP/1 methods, HTTP/1.0, no
 * host, CONNECT (upgrades other than WebSocket are not configured), a target without a path. An Envoy that is configured
 * otherwise may ask us about one; the answer is the same denial. Undefined: nothing of the kind.
 */
export function refuseMalformed(http: CheckHttp): Refusal | undefined {
  const { method, host, path, protocol } = http;
  if (protocol === "HTTP/1.0") return malformed("HTTP/1.0", replies.oldProtocol);
  if (protocol === "HTTP/1.1" && !knownMethods.has(method)) return malformed("unknown method", replies.unknownMethod);
  if (method === "CONNECT") return malformed("CONNECT", replies.connect);
  // An empty `Host` is a host: Envoy lets it pass.
  if (host === "" && http.headerLines(":authority").length === 0) return malformed("no host", replies.noHost);
  if (!path.startsWith("/")) return refusal("path/invalid", "the target is not a path", replies.noPath);
  return undefined;
}

function malformed(detail: string, reply: Reply): Refusal {
  return refusal("request/unreadable", detail, reply);
}
