import type { ListenerSettings } from "#authz/check/contract";

/**
 * What an asking Envoy was not told to send although the policies (or the deny list) in force asked for it. Each is a bit of `CheckRecord.lacking`, so that a
 * check pays for it with an OR.
 */
export const lackingBits = { peer: 1, remote: 2, tls: 4, names: 8, sni: 16, rawHeaders: 32, fingerprint: 64 } as const;
export type Lacking = keyof typeof lackingBits;

interface Line {
  /** Who asks; left out: policies. */
  readonly asker?: string;
  /** As policies name it. */
  readonly attribute: string;
  /** What Envoy is to send beside each check: call metadata (gRPC) or headers (HTTP service). */
  readonly entries: readonly string[];
  /** Where it comes with the check itself, which only gRPC has: the line of the filter's configuration. */
  readonly filterLine?: string;
}

const lackingLines: Readonly<Record<Lacking, Line>> = {
  peer: {
    attribute: "source.ip",
    entries: ['{ key: x-garita-peer, value: "[%DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT%]" }'],
  },
  remote: {
    attribute: "remote.ip",
    entries: ['{ key: x-garita-remote, value: "[%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%]" }'],
  },
  tls: {
    attribute: "mutual TLS",
    entries: ['{ key: x-garita-tls, value: "[%DOWNSTREAM_TLS_VERSION%]" }'],
  },
  names: {
    attribute: "source.principal",
    entries: [
      '{ key: x-garita-uris, value: "[%DOWNSTREAM_PEER_URI_SAN%]" }',
      '{ key: x-garita-dns, value: "[%DOWNSTREAM_PEER_DNS_SAN%]" }',
      '{ key: x-garita-subject, value: "[%DOWNSTREAM_PEER_SUBJECT%]" }',
    ],
  },
  sni: { attribute: "connection.sni", entries: [], filterLine: "include_tls_session: true" },
  fingerprint: {
    asker: "revocations",
    attribute: "the certificate's fingerprint",
    entries: ['{ key: x-garita-fingerprint, value: "[%DOWNSTREAM_PEER_FINGERPRINT_256%]" }'],
  },
  rawHeaders: { attribute: "request.headers", entries: [], filterLine: "encode_raw_headers: true" },
};

/** One sentence for each bit, in the order of the table: what policies ask for, and what brings it to such a listener. */
export function lackingSentences(
  lacking: number,
  listener: Pick<ListenerSettings, "protocol" | "attributeHeaders">,
): readonly string[] {
  return (Object.keys(lackingBits) as Lacking[])
    .filter((name) => (lacking & lackingBits[name]) !== 0)
    .map((name) => {
      const { asker = "policies", attribute, entries, filterLine } = lackingLines[name];
      const asked = `${asker} ask for ${attribute}`;
      const unsent = `${asked}, which a proxy does not send: add`;
      if (listener.protocol === "grpc") {
        return `${unsent} ${filterLine ?? `initial_metadata: ${entries.join(", ")}`}`;
      }
      if (filterLine !== undefined) return `${asked} as only protocol grpc brings it: ask by a grpc listener`;
      const also = listener.attributeHeaders ? "" : ", and attributeHeaders: true on the listener";
      return `${unsent} authorization_request.headers_to_add: ${entries.join(", ")}${also}`;
    });
}
