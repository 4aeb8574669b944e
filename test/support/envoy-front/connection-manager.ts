import { isIPv6 } from "node:net";
import type { Admitted } from "./admit.ts";
import { trim } from "./bytes.ts";
import { type Connection, isEdge, type Listener, type OwnReply } from "./downstream.ts";
import type { HeaderMap } from "./header-map.ts";

/** A client outside the mesh must not steer Envoy's router; these go from every request. */
const strippedEverywhere = [
  "x-envoy-expected-rq-timeout-ms",
  "x-envoy-force-trace",
  "x-envoy-hedge-on-per-try-timeout",
  "x-envoy-internal",
  "x-envoy-ip-tags",
  "x-envoy-max-retries",
  "x-envoy-original-url",
  "x-envoy-retriable-header-names",
  "x-envoy-retriable-status-codes",
  "x-envoy-retry-grpc-on",
  "x-envoy-retry-on",
  "x-envoy-upstream-alt-stat-name",
  "x-envoy-upstream-rq-per-try-timeout-ms",
  "x-envoy-upstream-rq-timeout-alt-response",
  "x-envoy-upstream-rq-timeout-ms",
  "x-envoy-upstream-stream-duration-ms",
] as const;

/** And these from a request that enters the mesh at a gateway. */
const strippedAtTheEdge = [
  "x-envoy-decorator-operation",
  "x-envoy-downstream-service-cluster",
  "x-envoy-downstream-service-node",
  "x-envoy-original-host",
  "x-envoy-original-path",
] as const;

/** The id of every request that Envoy gives one; a real one is random. */
const madeRequestId = "5a5e0c3e-3f5c-9c3a-8d0e-5b1d6f0a7c11";

/**
 * Envoy's own edits of a request before any filter sees it, as Istio configures the connection manager of each kind of
 * workload. Changes `headers`; an answer when Envoy refuses the request itself. Paths are left raw: whoever decides on them
 * has to bring them into normal form.
 */
export function prepareRequest(
  headers: HeaderMap,
  listener: Listener,
  connection: Connection,
  admitted: Admitted,
): OwnReply | undefined {
  const authority = headers.get(":authority");
  if (authority === undefined) return { status: 400, body: "", details: "missing_host_header" };
  if (!isAuthority(authority))
    return { status: 400, body: "Bad Request", early: true, details: "http.invalid_authority" };
  // `*`, or an absolute target without a path but with a query.
  if (headers.get(":path")?.startsWith("/") !== true) {
    return { status: 404, body: "", details: "absolute_path_rejected" };
  }
  if (headers.get(":method") === "QUERY" && (headers.get("content-type") ?? "") === "") {
    return { status: 400, body: "", details: "query_missing_content_type" };
  }

  const edge = isEdge(listener);
  const transport = admitted.tls ? "https" : "http";
  if (edge) appendPeer(headers, connection);
  // An empty one stays.
  const proto = headers.get("x-forwarded-proto");
  if (proto === undefined || (edge && listener.numTrustedProxies === 0)) headers.set("x-forwarded-proto", transport);
  if (headers.get(":scheme") === undefined) {
    const forwarded = headers.get("x-forwarded-proto")!.toLowerCase();
    headers.set(":scheme", forwarded === "http" || forwarded === "https" ? forwarded : transport);
  }

  keepTrailers(headers);
  for (const name of strippedEverywhere) headers.remove(name);
  if (edge) {
    for (const name of strippedAtTheEdge) headers.remove(name);
    headers.set("x-envoy-external-address", connection.remoteAddress);
  }
  forwardCertificate(headers, listener, admitted, edge);
  // A client outside the mesh does not choose the id.
  if (edge || (headers.get("x-request-id") ?? "") === "") headers.set("x-request-id", madeRequestId);
  if (!isReference(headers.get("referer") ?? "")) headers.remove("referer");
  return undefined;
}

/** Ends at what belongs to no authority; bytes beyond ASCII do not either. */
export function isAuthority(text: string): boolean {
  return /^[A-Za-z0-9.:@,;!_%'()~=+$&*[\]-]*$/.test(text);
}

/** A colon before the first slash would end a scheme. */
const relativeReference = /^[A-Za-z0-9._~!$&'()*+,;=@%?-]*(?:\/[A-Za-z0-9._~!$&'()*+,;=@%/?:-]*)?$/;
const absoluteReference =
  /^[A-Za-z][A-Za-z0-9+.-]*:\/\/@?(?:[A-Za-z0-9.-]+|\[([0-9A-Fa-f:.]+)(?:%[0-9A-Za-z]+)?\])(?::(\d+))?(?:[/?][!-"$-~]*#*)?$/;

/** A referer that Envoy keeps: a reference whose fragment, if any, is empty, and whose host, if any, is as DNS would have it. */
function isReference(text: string): boolean {
  if (relativeReference.test(text)) return true;
  const absolute = absoluteReference.exec(text);
  if (absolute === null || Number(absolute[2] ?? 0) > 65535) return false;
  return absolute[1] === undefined || isIPv6(absolute[1]);
}

/** Of what a client takes transfer codings for, trailers alone are understood; case counts. */
function keepTrailers(headers: HeaderMap): void {
  const te = headers.get("te");
  if (te === undefined || te === "") return;
  if (te.split(",").some((word) => trim(word) === "trailers")) headers.set("te", "trailers");
  else headers.remove("te");
}

/** With a trusted remote address Envoy writes down whom it got the request from; a loopback peer as itself. */
function appendPeer(headers: HeaderMap, connection: Connection): void {
  const from = connection.proxyAddress ?? connection.peer.address;
  const loopback = from === "::1" || from === "127.0.0.1";
  headers.append("x-forwarded-for", loopback ? connection.local.address : from);
}

/** `x-forwarded-client-cert`: a client without certificate has none; a sidecar appends, a gateway replaces. */
function forwardCertificate(headers: HeaderMap, listener: Listener, admitted: Admitted, edge: boolean): void {
  const certificate = admitted.certificate;
  if (certificate === undefined) {
    headers.remove("x-forwarded-client-cert");
    return;
  }
  const own = `spiffe://${listener.trustDomains[0]}/ns/${listener.workload.namespace}/sa/default`;
  const element = [
    `By=${own}`,
    `Hash=${certificate.fingerprint}`,
    ...(edge ? [`Cert="${certificate.encoded}"`] : []),
    `Subject="${certificate.subject}"`,
    ...certificate.uriSans.map((uri) => `URI=${uri}`),
    ...certificate.dnsSans.map((dns) => `DNS=${dns}`),
  ].join(";");
  if (edge) headers.set("x-forwarded-client-cert", element);
  else headers.append("x-forwarded-client-cert", element);
}
