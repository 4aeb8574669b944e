/**
 * What an asking Envoy was not told to send although the policies in force asked for it. Each is a bit of `CheckRecord.lacking`, so that a
 * check pays for it with an OR.
 */
export const lackingBits = { peer: 1, remote: 2, tls: 4, names: 8, sni: 16, rawHeaders: 32 } as const;
export type Lacking = keyof typeof lackingBits;

interface Line {
  /** As policies name it. */
  readonly attribute: string;
  /** The line of the filter's configuration that brings it. */
  readonly remedy: string;
}

const metadata = (...lines: readonly string[]) => `initial_metadata: ${lines.join(", ")}`;

export const lackingLines: Readonly<Record<Lacking, Line>> = {
  peer: {
    attribute: "source.ip",
    remedy: metadata('{ key: x-garita-peer, value: "[%DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT%]" }'),
  },
  remote: {
    attribute: "remote.ip",
    remedy: metadata('{ key: x-garita-remote, value: "[%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%]" }'),
  },
  tls: {
    attribute: "mutual TLS",
    remedy: metadata('{ key: x-garita-tls, value: "[%DOWNSTREAM_TLS_VERSION%]" }'),
  },
  names: {
    attribute: "source.principal",
    remedy: metadata(
      '{ key: x-garita-uris, value: "[%DOWNSTREAM_PEER_URI_SAN%]" }',
      '{ key: x-garita-dns, value: "[%DOWNSTREAM_PEER_DNS_SAN%]" }',
      '{ key: x-garita-subject, value: "[%DOWNSTREAM_PEER_SUBJECT%]" }',
    ),
  },
  sni: { attribute: "connection.sni", remedy: "include_tls_session: true" },
  rawHeaders: { attribute: "request.headers", remedy: "encode_raw_headers: true" },
};

/** The lines behind the bits, in the order of the table. */
export function linesOf(lacking: number): readonly Line[] {
  return (Object.keys(lackingBits) as Lacking[])
    .filter((name) => (lacking & lackingBits[name]) !== 0)
    .map((name) => lackingLines[name]);
}
