/**
 * What stands around Envoy in a case: its listener, the client's connection, the client's request. Every text is a byte
 * string (one character a byte), because a client may send bytes that are no text.
 */

/** Does the listener stand at the edge of the mesh, so that it believes nobody in front but proxies that it was told of? */
export function isEdge({ kind }: Pick<Listener, "kind">): boolean {
  return kind === "gateway" || kind === "k8s-gateway";
}

/** What kind of workload the listener stands before. Sidecars and waypoints trust the hop in front, gateways do not. */
export type ListenerKind = "sidecar" | "gateway" | "k8s-gateway" | "waypoint";

/** The mutual TLS mode in force on the listener's port. */
export type ListenerMode = "DISABLE" | "PERMISSIVE" | "STRICT";

export interface Listener {
  readonly kind: ListenerKind;
  readonly protocol: "HTTP" | "TCP";
  /** Gateways: how many proxies in front are trusted to have written `x-forwarded-for`. */
  readonly numTrustedProxies: number;
  /** Trust domain of the mesh, then its aliases: whose certificates are admitted, whose name Envoy's own certificate bears. */
  readonly trustDomains: readonly string[];
  /** Undefined: transport admission is off; any certificate, or none, is admitted. */
  readonly mode: ListenerMode | undefined;
  /**
   * `metadata_context_namespaces` of the filter, each of which some filter in front has filled (here: with nothing). Envoy
   * sends no namespace that nobody filled.
   */
  readonly metadataNamespaces: readonly string[];
  /** `with_request_body.max_request_bytes`, with `allow_partial_message` and `pack_as_bytes`; undefined: no body is sent. */
  readonly bodyLimit: number | undefined;
  /** How the control plane names the workload: `garita.dev/*` keys without the prefix. */
  readonly workload: {
    readonly namespace: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly gateway: string | undefined;
    /** `kind/namespace/name`. */
    readonly service: string | undefined;
  };
}

export interface SocketAddress {
  readonly address: string;
  readonly port: number;
}

/** The names in the peer's certificate, in its order. `subject` is a common name, not a whole distinguished name. */
export interface PeerCertificateNames {
  readonly uriSans: readonly string[];
  readonly dnsSans: readonly string[];
  readonly subject: string | undefined;
}

export interface Connection {
  readonly tls: boolean;
  /** Undefined: no client certificate. */
  readonly certificate: PeerCertificateNames | undefined;
  /** As the client wrote it, not folded. */
  readonly sni: string | undefined;
  /** Undefined: what Istio's own proxies offer. */
  readonly alpn: readonly string[] | undefined;
  readonly peer: SocketAddress;
  readonly local: SocketAddress;
  /** Source address in a PROXY protocol header, if there was one. */
  readonly proxyAddress: string | undefined;
  /** The effective client address as Envoy computed it. */
  readonly remoteAddress: string;
}

export interface DownstreamRequest {
  readonly method: string;
  /** HTTP/1: the `Host` line; HTTP/2: `:authority`. */
  readonly authority: string | undefined;
  /** The raw request target. */
  readonly target: string;
  /** In wire order, names in wire case, duplicates kept. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly protocol: "HTTP/1.0" | "HTTP/1.1" | "HTTP/2";
  readonly scheme: string;
  /** HTTP/2: pseudo headers that were not sent. */
  readonly omit: readonly string[];
  readonly body: string;
}

/**
 * An answer that Envoy gives itself, before any filter. `status` undefined: the connection or stream is closed without a
 * reply. `early`: before Envoy has looked whether the caller speaks gRPC, so that it is answered as any other.
 */
export interface OwnReply {
  readonly status: number | undefined;
  readonly body: string;
  readonly early?: true;
  /** Envoy's RESPONSE_CODE_DETAILS. */
  readonly details: string;
}
