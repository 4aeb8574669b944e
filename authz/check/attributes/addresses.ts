import type { CallMetadata, ListenerSettings } from "#authz/check/contract";
import type { CheckRequest } from "#authz/check/wire/check-request";
import { type IpAddress, type Maybe, UNKNOWN, type Workload } from "#authz/engine/attributes";
import type { Mesh } from "#policy-compiler/ruleset/model";
import { attributeNames, readBracketed } from "./call-metadata.ts";
import { parseIpAddress } from "./ip-address.ts";

export interface AddressQuestion {
  readonly request: CheckRequest;
  readonly metadata: CallMetadata;
  readonly listener: Pick<ListenerSettings, "proxyProtocol">;
}

/**
 * The physical peer: what Envoy was told to send; else the connection's remote end, unless a PROXY protocol header may
 * have replaced it; else unknown.
 */
export function readPeerAddress({ request, metadata, listener }: AddressQuestion): Maybe<IpAddress> {
  const told = toldAddress(metadata, attributeNames.peer);
  if (told !== UNKNOWN) return told;
  return listener.proxyProtocol ? UNKNOWN : connectionAddress(request.source.address);
}

/**
 * The effective client, aware of trusted hops and PROXY protocol: what Envoy was told to send; else, for a gateway, counted in
 * X-Forwarded-For as Istio's `numTrustedProxies` says; else the connection's remote end.
 *
 * DIVERGENCE: without the metadata a sidecar's X-Forwarded-For is not read. Istio's sidecar believes its last entry, which any
 * client can write; the proxy in front of us may not be set up so.
 */
export function readRemoteAddress(question: AddressQuestion, workload: Workload, mesh: Mesh): Maybe<IpAddress> {
  const { request, metadata } = question;
  const told = toldAddress(metadata, attributeNames.remote);
  if (told !== UNKNOWN) return told;
  const peer = connectionAddress(request.source.address);
  const isGateway = workload.kind === "gateway" || workload.kind === "k8s-gateway";
  if (!isGateway || mesh.numTrustedProxies === 0 || request.http === undefined) return peer;
  const entry = forwardedEntry(request.http.headerLines("x-forwarded-for"), mesh.numTrustedProxies);
  return (entry === undefined ? undefined : parseIpAddress(entry)) ?? peer;
}

/** The local end of the connection. */
export function readDestinationAddress({ request }: AddressQuestion): Maybe<IpAddress> {
  return connectionAddress(request.destination.address);
}

/**
 * The entry that `hops` trusted proxies leave to the client, counted from the right. The rightmost entry is not counted: it is
 * the peer, which a gateway's Envoy (`use_remote_address`) has already appended before it asks.
 */
function forwardedEntry(lines: readonly string[], hops: number): string | undefined {
  const entries = lines.join(",").split(",");
  return entries.at(-1 - hops)?.trim();
}

/** Envoy prints an address that is no IP as a path or a name: such a peer has none. Other text is nobody's word. */
function toldAddress(metadata: CallMetadata, name: string): Maybe<IpAddress> {
  const text = readBracketed(metadata.get(name));
  if (typeof text !== "string") return text;
  const address = parseIpAddress(text);
  if (address !== undefined) return address;
  return text.startsWith("/") || text.startsWith("@") || text.startsWith("envoy://") ? undefined : UNKNOWN;
}

/** A connection without an address (pipe, internal listener) looks like one whose address was not sent: unknown. */
function connectionAddress(text: string | undefined): Maybe<IpAddress> {
  return (text === undefined ? undefined : parseIpAddress(text)) ?? UNKNOWN;
}
