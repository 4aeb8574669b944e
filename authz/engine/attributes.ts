import { UNKNOWN_FACT } from "#policy-compiler/conditions/contract";
import type { ByteString } from "#policy-compiler/ruleset/model";

/**
 * The request did not bring what a leaf asks for. Not the same as *absent* (`undefined`): Envoy says that there is none. An
 * absent subject makes a leaf false; an unknown one makes it unknown, and Kleene's tables decide (law 2).
 */
export const UNKNOWN: typeof UNKNOWN_FACT = UNKNOWN_FACT;
export type Maybe<T> = T | undefined | typeof UNKNOWN;

/** An address as the index and the CIDR tests read it: 4 or 16 bytes as numbers. A peer that is no IP has none: `undefined`. */
export interface IpAddress {
  readonly bytes: readonly number[] | Uint8Array;
}

/**
 * The names of a verified peer, tested in this order: URI SANs, DNS SANs, subject, as Envoy RBAC does.
 * `opaque`: joined lists that could not be taken apart: a lone `*` matches each; any other pattern is false of it when the
 * pattern's literal text does not occur in it, else unknown. `complete: false`: there may be further names that we were not
 * told, so that a leaf which no known name satisfies is unknown.
 */
export interface PeerNames {
  readonly names: readonly ByteString[];
  readonly opaque: readonly ByteString[];
  readonly complete: boolean;
}

/**
 * Every line of one header. `joined`: the lines arrived as one text joined by commas and that text may be one line or several:
 * a leaf on it is true if it holds under every way to split it at commas, false if under none, else unknown.
 */
export interface HeaderLines {
  readonly lines: readonly ByteString[];
  readonly joined: boolean;
}

/** Request headers after Envoy's own edits. Names are lower case; pseudo headers (`:path`) are among them. */
export interface RequestHeaders {
  get(name: ByteString): HeaderLines | undefined;
  /** The names of all headers that `get` has lines of, each once, `host` among them and pseudo headers not. Asked by conditions alone. */
  names(): readonly ByteString[];
}

export interface HttpAttributes {
  readonly method: Maybe<ByteString>;
  /** `:authority` as received: port and trailing dot included, case kept. */
  readonly host: Maybe<ByteString>;
  /** The normal form without query and fragment: what `paths` are compared with. */
  readonly path: Maybe<ByteString>;
  readonly headers: RequestHeaders;
  /** The normal form with its query. This and what follows: asked by conditions alone. */
  readonly target: Maybe<ByteString>;
  readonly scheme: Maybe<ByteString>;
  /** `HTTP/1.1`, `HTTP/2`, … */
  readonly protocol: Maybe<ByteString>;
  /** Bytes of the body as announced; absent: not announced. */
  readonly size: Maybe<number>;
  /** A gRPC call by Envoy's rule (content-type `application/grpc` or `application/grpc+…`). */
  readonly grpc: boolean;
}

/** Payload of the verified token: strings are byte strings. Unknown until tokens were looked at. */
export type Claims = { readonly [name: ByteString]: unknown };

/**
 * What policies are decided on. Values: an edit makes a new one. `http` undefined: a connection (TCP).
 */
export interface RequestAttributes {
  readonly http: HttpAttributes | undefined;
  readonly peerAddress: Maybe<IpAddress>;
  readonly remoteAddress: Maybe<IpAddress>;
  readonly destinationAddress: Maybe<IpAddress>;
  readonly destinationPort: Maybe<number>;
  /** Is the connection TLS that Envoy terminated? */
  readonly tls: boolean | typeof UNKNOWN;
  readonly peer: Maybe<PeerNames>;
  /** Lower case. */
  readonly sni: Maybe<ByteString>;
  /** Absent: no token was verified. */
  readonly claims: Maybe<Claims>;
  /** Claims of every token that was verified, in the order in which they were; absent: none was. Asked by conditions alone. */
  readonly tokens: Maybe<readonly Claims[]>;
  /** Port of the connection's remote end. Asked by conditions alone, like the next. */
  readonly peerPort: Maybe<number>;
  /** The first URI name of the certificate that Envoy itself showed. */
  readonly destinationPrincipal: Maybe<ByteString>;
  /** Unix milliseconds; the same in all attributes of one check. */
  readonly nowMillis: number;
  /** Dynamic metadata of Envoy's filters by namespace and key; a string or a list of strings, else absent. */
  readonly metadata: (namespace: ByteString, key: ByteString) => Maybe<ByteString | readonly ByteString[]>;
}

export type WorkloadKind = "sidecar" | "gateway" | "k8s-gateway" | "waypoint";

/** The workload that is asked about, completely described. */
export interface Workload {
  readonly namespace: string;
  /** For people; undefined when it was described by labels alone. */
  readonly name: string | undefined;
  readonly labels: ReadonlyMap<string, string>;
  readonly kind: WorkloadKind;
  /** Name of its Gateway: `k8s-gateway` and `waypoint`. */
  readonly gateway: string | undefined;
  /** A waypoint's target. `kind` undefined: fits `Service` and `ServiceEntry`. */
  readonly service:
    | { readonly namespace: string; readonly name: string; readonly kind?: "Service" | "ServiceEntry" }
    | undefined;
}
