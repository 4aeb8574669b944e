/** One line of a filter's configuration by which Envoy tells what a CheckRequest does not. */
export interface AttributeMetadata {
  /** Name of the gRPC metadata entry, or of the header that the HTTP service gets. */
  readonly key: string;
  /** Envoy's formatter, evaluated for each check. */
  readonly formatter: string;
  /** What Garita learns from it. */
  readonly tells: string;
  /** The first Envoy that does not abort on the formatter; undefined: every one that Garita works with. */
  readonly since?: string;
}

/** Envoy puts nothing of a client's under these names into gRPC metadata; Garita reads no request header that begins with it. */
export const METADATA_PREFIX = "x-garita-";

/**
 * The attributes that a filter has to send along. An unknown formatter passes `envoy --mode validate` and aborts Envoy at the first
 * request: take the table as it is.
 */
export const attributeMetadata: readonly AttributeMetadata[] = [
  {
    key: "x-garita-peer",
    formatter: "%DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT%",
    tells: "the physical peer, also behind PROXY protocol (source.ip)",
  },
  {
    key: "x-garita-remote",
    formatter: "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%",
    tells: "the client by X-Forwarded-For and Envoy's trusted hops (remote.ip)",
  },
  { key: "x-garita-tls", formatter: "%DOWNSTREAM_TLS_VERSION%", tells: "whether the connection is TLS" },
  { key: "x-garita-uris", formatter: "%DOWNSTREAM_PEER_URI_SAN%", tells: "the peer's names: every URI SAN" },
  { key: "x-garita-dns", formatter: "%DOWNSTREAM_PEER_DNS_SAN%", tells: "the peer's names: every DNS SAN" },
  { key: "x-garita-subject", formatter: "%DOWNSTREAM_PEER_SUBJECT%", tells: "the peer's names: the subject" },
  {
    key: "x-garita-fingerprint",
    formatter: "%DOWNSTREAM_PEER_FINGERPRINT_256%",
    tells: "which certificate the peer showed (revocation)",
  },
];

/** Of use only where Garita's listener leaves `peerIdentity` unset. Envoy 1.36 and 1.37 abort on it at the first request. */
export const issuerMetadata: AttributeMetadata = {
  key: "x-garita-issuer",
  formatter: "%DOWNSTREAM_PEER_ISSUER_FINGERPRINT_256%",
  tells: "whether Envoy verified the peer's certificate",
  since: "1.38",
};

/** Beside `with_request_body`: tells that a request of which no body came has none, and was not just sent without it. */
export function bodyMetadata(maxBytes: number): { readonly key: string; readonly value: string } {
  return { key: `${METADATA_PREFIX}body`, value: String(maxBytes) };
}

/** Bodies as bytes, for text would lose those that are not UTF-8. Cut, not refused: whether a long body is refused is the provider's option. */
export function requestBody(maxBytes: number) {
  return { maxRequestBytes: maxBytes, allowPartialMessage: true, packAsBytes: true };
}

/**
 * The value to configure: in brackets, so that what is absent arrives as `[]` and can be told from what was not configured. A
 * bare formatter that comes out empty would send nothing, and on the HTTP service would let a client's own header through.
 */
export function bracketed(metadata: AttributeMetadata): string {
  return `[${metadata.formatter}]`;
}
