import type { WorkloadKind } from "#authz/engine/attributes";

/**
 * One request or connection as a person writes it down: in a test file, in a request file, or by flags. Everything has a default, so that
 * `{}` is a plaintext `GET /` from 127.0.0.1. It is asked exactly as an Envoy with our filter snippet would ask.
 */
export interface RequestDescription {
  readonly workload?: WorkloadDescription;
  readonly caller?: CallerDescription;
  /** Undefined together with `tcp`: `GET /`. */
  readonly request?: HttpDescription;
  /** A connection instead of a request. */
  readonly tcp?: boolean;
  /** What extension providers answer, by name; one that is not described fails: nobody is asked. */
  readonly providers?: Readonly<Record<string, DescribedAnswer>>;
}

export type DescribedAnswer = "allow" | "deny";

/** The workload that is asked about: the keys of `garita.dev/*`, and where the request arrived. */
export interface WorkloadDescription {
  readonly workload?: string;
  readonly namespace?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly kind?: WorkloadKind;
  readonly gateway?: string;
  readonly service?: string;
  /** Local address of the connection. Default: 127.0.0.1. */
  readonly address?: string;
  /** Local port of the connection. Default: 8080. */
  readonly port?: number;
}

export interface CallerDescription {
  /** SPIFFE ID, with or without `spiffe://`: the URI SAN of a verified client certificate. */
  readonly principal?: string;
  /** DNS SAN of that certificate. */
  readonly dnsName?: string;
  /** Subject of that certificate, as Envoy prints it (`CN=client,O=Acme`). */
  readonly subject?: string;
  /** SHA-256 of that certificate, hex, lower case. */
  readonly fingerprint?: string;
  /** Does the caller speak TLS? Default: true with a principal, DNS name, subject, fingerprint or SNI. */
  readonly tls?: boolean;
  readonly sni?: string;
  /**
   * Claims of a token that the caller shows, taken for signed by the issuer that `iss` names. It stands where `<token>` stands in header
   * lines and path, else in `authorization` as a bearer token.
   */
  readonly claims?: Readonly<Record<string, unknown>>;
  /** Physical peer. Default: 127.0.0.1. */
  readonly address?: string;
  /** Client behind trusted proxies, as Envoy computed it. Default: the physical peer. */
  readonly remoteAddress?: string;
}

export interface HttpDescription {
  readonly method?: string;
  readonly host?: string;
  /** Request target with query. */
  readonly path?: string;
  /** `name: value` lines as on the wire, in order, duplicates kept. */
  readonly headers?: readonly string[];
  readonly protocol?: "HTTP/1.1" | "HTTP/2";
}

/** The header lines of a description as names and values, in order. A line without a colon is a name with an empty value. */
export function headerLines(http: HttpDescription): readonly (readonly [name: string, value: string])[] {
  return (http.headers ?? []).map((line) => {
    const colon = line.indexOf(":", 1);
    return colon < 0 ? [line.trim(), ""] : [line.slice(0, colon).trim(), line.slice(colon + 1).trim()];
  });
}
