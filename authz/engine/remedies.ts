import { fromByteString } from "#policy-compiler/ruleset/byte-string";
import type { Attribute } from "#policy-compiler/ruleset/model";

/** An attribute as policies name it. */
export function attributeName(attribute: Attribute): string {
  switch (attribute.kind) {
    case "header":
      return `request.headers[${fromByteString(attribute.name)}]`;
    case "claim":
      return `request.auth.claims${attribute.path.map((step) => `[${fromByteString(step)}]`).join("")}`;
    case "metadata":
      return `experimental.${fromByteString(attribute.namespace)}[${fromByteString(attribute.key)}]`;
    default:
      return names[attribute.kind];
  }
}

/**
 * What in Envoy's configuration brings an attribute. `initial_metadata` stands in the filter's `grpc_service`, the brackets are
 * part of the value; with the HTTP service the same lines go to `authorization_request.headers_to_add`.
 */
export function remedyFor(attribute: Attribute): string {
  if (attribute.kind === "metadata") return `metadata_context_namespaces: ["${fromByteString(attribute.namespace)}"]`;
  return remedies[attribute.kind];
}

/** The same for an attribute by the name that conditions give it. Undefined: nothing can leave it unknown. */
export function remedyForNamed(attribute: string): string | undefined {
  if (Object.hasOwn(remediesByName, attribute)) return remediesByName[attribute];
  if (attribute.startsWith("request.")) return REQUEST_LINE;
  return undefined;
}

type Named = Exclude<Attribute["kind"], "header" | "claim" | "metadata">;
const names: Readonly<Record<Named, string>> = {
  host: "request.host",
  method: "request.method",
  path: "request.path",
  port: "destination.port",
  peerAddress: "source.ip",
  remoteAddress: "remote.ip",
  destinationAddress: "destination.ip",
  identity: "source.principal",
  requestPrincipal: "request.auth.principal",
  sni: "connection.sni",
};

const REQUEST_LINE = "the ext_authz filter in the HTTP filter chain: it sends the request line always";
const DESTINATION =
  "the gRPC service: it sends destination.address always; with the HTTP service the listener's `destination` setting says it";
const TOKENS = "a RequestAuthentication for the workload: claims are known once tokens were looked at";
const remedies: Readonly<Record<Exclude<Attribute["kind"], "metadata">, string>> = {
  host: REQUEST_LINE,
  method: REQUEST_LINE,
  path: REQUEST_LINE,
  port: DESTINATION,
  destinationAddress: DESTINATION,
  peerAddress: 'initial_metadata: { key: x-garita-peer, value: "[%DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT%]" }',
  remoteAddress: 'initial_metadata: { key: x-garita-remote, value: "[%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%]" }',
  identity:
    'initial_metadata: { key: x-garita-uris, value: "[%DOWNSTREAM_PEER_URI_SAN%]" }, { key: x-garita-dns, value: "[%DOWNSTREAM_PEER_DNS_SAN%]" }, { key: x-garita-subject, value: "[%DOWNSTREAM_PEER_SUBJECT%]" }; for peers with several names also include_peer_certificate: true; and the listener\'s `peerIdentity: verified` where Envoy verifies its clients',
  sni: "include_tls_session: true",
  header: "encode_raw_headers: true",
  requestPrincipal: TOKENS,
  claim: TOKENS,
};

const ONLY_GRPC = "the gRPC service: the HTTP service does not tell it";
/** INVARIANT: every attribute of conditions that can be unknown, but those of the request line. */
const remediesByName: Readonly<Record<string, string>> = {
  "request.scheme": ONLY_GRPC,
  "request.protocol": ONLY_GRPC,
  "request.size": ONLY_GRPC,
  "request.headerLines": remedies.header,
  "source.address": remedies.peerAddress,
  "source.port": `${ONLY_GRPC}, and ${remedies.peerAddress}; behind a PROXY protocol nothing brings it`,
  "source.principal": remedies.identity,
  "source.trustDomain": remedies.identity,
  "source.namespace": remedies.identity,
  "source.serviceAccount": remedies.identity,
  "remote.address": remedies.remoteAddress,
  "destination.address": remedies.destinationAddress,
  "destination.port": remedies.port,
  "destination.principal": ONLY_GRPC,
  "destination.trustDomain": ONLY_GRPC,
  "destination.namespace": ONLY_GRPC,
  "destination.serviceAccount": ONLY_GRPC,
  "connection.tls": 'initial_metadata: { key: x-garita-tls, value: "[%DOWNSTREAM_TLS_VERSION%]" }',
  "connection.sni": remedies.sni,
  claims: TOKENS,
  tokens: TOKENS,
};
