import type { Admitted } from "./admit.ts";
import { fold, sanitize } from "./bytes.ts";
import type { Connection, DownstreamRequest, Listener, SocketAddress } from "./downstream.ts";
import type { HeaderMap } from "./header-map.ts";
import { MessageWriter } from "./protobuf.ts";

/** One call of `envoy.service.auth.v3.Authorization/Check`: the message, and the metadata of the call by lower-case name. */
export interface CheckCall {
  readonly message: Uint8Array;
  readonly metadata: ReadonlyMap<string, readonly string[]>;
}

/**
 * What Envoy sends for a request (`headers`), or for a connection when `headers` is undefined. The filter is configured as
 * in the project's own snippets: `encode_raw_headers`, `include_tls_session`, `include_peer_certificate`, `initial_metadata`.
 */
export function writeCheckCall(
  listener: Listener,
  connection: Connection,
  admitted: Admitted,
  request: ({ readonly headers: HeaderMap } & Pick<DownstreamRequest, "protocol" | "body">) | undefined,
): CheckCall {
  const keys = workloadKeys(listener);
  const attributes = new MessageWriter()
    .message(1, sourcePeer(connection, admitted))
    .message(2, destinationPeer(listener, connection, admitted, request === undefined ? keys : []));
  if (request !== undefined) {
    const body = listener.bodyLimit === undefined ? "" : request.body;
    attributes.message(4, httpRequest(request.headers, request.protocol, body, listener.bodyLimit ?? 0));
    for (const [key, value] of keys) attributes.entry(10, key, value);
  }
  attributes.message(11, metadataContext(listener));
  attributes.message(12, new MessageWriter().text(1, admitted.sni ?? ""));
  if (request !== undefined) attributes.message(13, new MessageWriter());
  return {
    message: new MessageWriter().message(1, attributes).bytes(),
    metadata: attributeMetadata(connection, admitted),
  };
}

/** AttributeContext.Peer of the client; its address is the one that PROXY protocol claims. */
function sourcePeer(connection: Connection, admitted: Admitted): MessageWriter {
  const seen = { address: connection.proxyAddress ?? connection.peer.address, port: connection.peer.port };
  return new MessageWriter()
    .message(1, socketAddress(seen))
    .text(4, sanitize(admitted.certificate?.principal ?? ""))
    .text(5, admitted.certificate?.encoded ?? "");
}

function destinationPeer(
  listener: Listener,
  connection: Connection,
  admitted: Admitted,
  labels: readonly (readonly [string, string])[],
): MessageWriter {
  const peer = new MessageWriter().message(1, socketAddress(connection.local));
  // The network filter alone names the requested server, folded.
  if (listener.protocol === "TCP") peer.text(2, sanitize(fold(admitted.sni ?? "")));
  for (const [key, value] of labels) peer.entry(3, key, value);
  if (admitted.tls) peer.text(4, `spiffe://${listener.trustDomains[0]}/ns/${listener.workload.namespace}/sa/default`);
  return peer;
}

/** core.v3.Metadata: a namespace with an empty Struct each. */
function metadataContext(listener: Listener): MessageWriter {
  const context = new MessageWriter();
  for (const namespace of listener.metadataNamespaces) {
    context.message(1, new MessageWriter().text(1, namespace).message(2, new MessageWriter()));
  }
  return context;
}

function socketAddress(of: SocketAddress): MessageWriter {
  return new MessageWriter().message(1, new MessageWriter().text(2, of.address).unsigned(3, of.port));
}

/** AttributeContext.HttpRequest: pseudo headers are among the headers, every line in `raw_value`. */
function httpRequest(headers: HeaderMap, protocol: string, body: string, limit: number): MessageWriter {
  const lines = new MessageWriter();
  for (const [key, value] of headers.entries()) lines.message(1, new MessageWriter().text(1, key).text(3, value));
  if (body !== "") {
    const partial = new MessageWriter().text(1, "x-envoy-auth-partial-body").text(3, String(body.length > limit));
    lines.message(1, partial);
  }
  const http = new MessageWriter()
    .text(1, "1234567890123456789")
    .text(2, sanitize(headers.get(":method") ?? ""))
    .text(4, sanitize(headers.get(":path") ?? ""))
    .text(5, sanitize(headers.get(":authority") ?? ""))
    .text(6, sanitize(headers.get(":scheme") ?? ""))
    .text(10, protocol)
    .text(12, body.slice(0, limit))
    .message(13, lines);
  const time = new MessageWriter().unsigned(1, 1_790_000_000).unsigned(2, 123_456_789);
  return new MessageWriter().message(1, time).message(2, http);
}

/** How the control plane says which workload is asked about. */
function workloadKeys(listener: Listener): readonly (readonly [string, string])[] {
  const { namespace, labels, gateway, service } = listener.workload;
  const keys: [string, string][] = [
    ["garita.dev/namespace", namespace],
    ["garita.dev/labels", JSON.stringify(labels)],
    ["garita.dev/kind", listener.kind],
  ];
  if (gateway !== undefined) keys.push(["garita.dev/gateway", gateway]);
  if (service !== undefined) keys.push(["garita.dev/service", service]);
  return keys.map(([key, value]) => [key, Buffer.from(value, "utf8").toString("latin1")]);
}

/** The formatters of `initial_metadata`, in brackets so that an empty one still arrives. */
function attributeMetadata(connection: Connection, admitted: Admitted): ReadonlyMap<string, readonly string[]> {
  const certificate = admitted.certificate;
  const values: readonly (readonly [string, string])[] = [
    ["peer", connection.peer.address],
    ["remote", connection.remoteAddress],
    ["tls", admitted.tls ? "TLSv1.3" : ""],
    ["uris", certificate?.uriSans.join(",") ?? ""],
    ["dns", certificate?.dnsSans.join(",") ?? ""],
    ["subject", certificate?.subject ?? ""],
    ["fingerprint", certificate?.fingerprint ?? ""],
  ];
  return new Map(values.map(([name, value]) => [`x-garita-${name}`, [`[${value}]`]]));
}
