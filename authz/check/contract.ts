import type { TokenProvider, TokenVerdict, UnverifiedToken } from "#authz/authenticate/contract";
import type { CustomProviders } from "#authz/custom/contract";
import type { RequestAttributes, Workload, WorkloadKind } from "#authz/engine/attributes";
import type { Engine } from "#authz/engine/contract";
import type { Decision, RuleRef } from "#authz/engine/decision";
import type { DenyList } from "#identity/deny-list/deny-list";
import type { KeySets } from "#identity/key-sources/contract";
import type { ByteString, Origin } from "#policy-compiler/ruleset/model";

/** What one request pins on its first line (law 3). */
export interface Snapshot {
  readonly engine: Engine;
  /** The public keys of all issuers, as they are at this instant. */
  readonly keySets: KeySets;
  /** The extension providers of the rule set. */
  readonly providers: CustomProviders;
  /** The commit that the rules are of, where they come from Git. */
  readonly commit?: string;
  /** The rules were not found to be the newest for so long, or have expired, so that nothing is decided by them. */
  readonly expired?: boolean;
  /** What is revoked; undefined: no list is known, and nothing is looked up; `awaited`: nor is one, but it is demanded, and until it comes nobody with a certificate passes. */
  readonly denyList: DenyList | "awaited" | undefined;
}

/** Rules with what they need from outside. */
export type EquippedRules = Omit<Snapshot, "denyList">;

/** How a listener or a request names a workload (`garita.dev/*`). */
export interface WorkloadClaim {
  readonly workload?: string;
  readonly namespace?: string;
  /** Present (even empty) with `namespace`: a complete description. */
  readonly labels?: ReadonlyMap<string, string>;
  readonly kind?: WorkloadKind;
  readonly gateway?: string;
  /** `namespace/name`, or with its kind in front where that matters: `ServiceEntry/namespace/name`. */
  readonly service?: string;
}

/** The settings of one listener that a check depends on. Converted once, when the listener starts. */
export interface ListenerSettings {
  readonly name: string;
  readonly protocol: "grpc" | "http";
  readonly peerIdentity: "verified" | "none" | undefined;
  readonly proxyProtocol: boolean;
  readonly workload: WorkloadClaim | undefined;
  /** HTTP service: the address and port that the asking Envoy listens on. */
  readonly destination: { readonly address: string; readonly port: number } | undefined;
  /** HTTP service: what Envoy puts in front of the path. */
  readonly pathPrefix: string;
  readonly attributeHeaders: boolean;
  /** HTTP service: the shared secret that the asking Envoy presents in `x-garita-secret`; compared in constant time. */
  readonly secret: Uint8Array | undefined;
  readonly explainToClient: boolean;
  /** Our own limit when the call brings none. */
  readonly deadlineMillis: number;
  /** HTTP service: the headers that the asking Envoy lets an answer set (`allowed_upstream_headers`), in lower case. */
  readonly upstreamHeaders: readonly string[];
  /** Larger messages are answered with a denial. */
  readonly maxMessageBytes: number;
}

/** The call's metadata: `get` gives every value sent under a lower-case name (`x-garita-peer`), in order. */
export interface CallMetadata {
  get(name: string): readonly string[];
}

/** What a request asked for, as received: the path with its query, undefined where the target is no path. */
export interface RequestLine {
  readonly method: ByteString;
  readonly host: ByteString;
  readonly path: ByteString | undefined;
}

/** A provider that failed, and whose options let the request go on. */
export interface FailedOpen {
  readonly provider: string;
  readonly fault: string;
}

/** What a check leaves behind for logs and metrics, built from what was pinned. Never holds a secret. */
export interface CheckRecord {
  readonly id: string;
  readonly decision: Decision;
  /** HTTP status that the client is meant to see; 0 on TCP. */
  readonly status: number;
  readonly workload: Workload | undefined;
  readonly attributes: RequestAttributes | undefined;
  /** Of an HTTP request that was refused before it had attributes, because its workload is not known. */
  readonly requestLine: RequestLine | undefined;
  readonly listener: string;
  readonly digest: string | undefined;
  /** The commit of the rules, where they come from Git. */
  readonly commit?: string | undefined;
  /** The CUSTOM rule that refused, if any. */
  readonly custom: RuleRef | undefined;
  /** What the policies asked for and the asking Envoy was not told to send: bits, see `attributes/lacking.ts`. */
  readonly lacking: number;
  /** More about a refusal, for the log. */
  readonly detail: string | undefined;
  /** Allowed without the word of a provider that was to be asked. */
  readonly failedOpen: FailedOpen | undefined;
  /** Where what refused was written, if that is no rule of a policy: a PeerAuthentication, a JWT rule. */
  readonly origin: Origin | undefined;
}

export interface CheckOutcome {
  /** Encoded CheckResponse. */
  readonly response: Uint8Array;
  readonly record: CheckRecord;
}

/** What is known of signatures, and how to find out what is not. */
export interface TokenVerification {
  /** Longer tokens are refused, unread. */
  readonly maxTokenBytes: number;
  /** What was found of the token under the provider before, with the keys that are in force now; undefined: nothing. */
  known(text: ByteString, provider: TokenProvider, keySets: KeySets): TokenVerdict | undefined;
  /** Verifies, and remembers what it accepted. Waits for no network: an issuer without keys is a refusal. */
  verify(unverified: UnverifiedToken, keySets: KeySets): TokenVerdict | Promise<TokenVerdict>;
}

/** Everything that a check is given from outside: law 1 keeps clocks and randomness out of it. */
export interface CheckEnvironment {
  /** Undefined until a rule set is in force. Read once per request. */
  snapshot(): Snapshot | undefined;
  nextId(): string;
  nowMillis(): number;
  readonly tokens: TokenVerification;
}

/** How long the caller will wait from now on, in milliseconds; asked only where something has to be waited for. */
export type RemainingMillis = () => number;

/**
 * gRPC: one CheckRequest in, one CheckResponse out. Synchronous unless a stage has to wait for something outside. `remainingMillis` undefined:
 * as long as the listener's own deadline.
 */
export type GrpcCheck = (
  message: Uint8Array,
  metadata: CallMetadata,
  listener: ListenerSettings,
  remainingMillis?: RemainingMillis,
) => CheckOutcome | Promise<CheckOutcome>;

/** HTTP ext_authz: raw request line and raw header lines in, an answer out. */
export interface HttpCheckRequest {
  readonly method: string;
  /** The request target as received. */
  readonly target: string;
  /** Names in wire case, duplicates kept, values as byte strings (Latin-1). */
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: Uint8Array | undefined;
}
export interface HttpCheckResponse {
  readonly status: number;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: string;
}
export interface HttpCheckOutcome {
  readonly response: HttpCheckResponse;
  readonly record: CheckRecord;
}
export type HttpCheck = (
  request: HttpCheckRequest,
  listener: ListenerSettings,
  remainingMillis?: RemainingMillis,
) => HttpCheckOutcome | Promise<HttpCheckOutcome>;
