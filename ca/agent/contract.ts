import type { KeyObject } from "node:crypto";
import type { TrustBundle } from "#ca/authorities/contract";
import type { Certificate, KeyKind } from "#ca/x509/contract";
import type { SpiffeId } from "#identity/spiffe-id";
import type { FaultCode } from "#platform/fault-codes";

/** One identity that an agent keeps. */
export interface IdentitySettings {
  /** With a path. The authority decides; a certificate of another identity is not taken. */
  readonly spiffeId: SpiffeId;
  readonly keyKind: KeyKind;
  /** Undefined: the authority's default. */
  readonly ttlSeconds: number | undefined;
}

/** A certificate with its key, verified when it came. Immutable. */
export interface HeldCertificate {
  readonly privateKey: KeyObject;
  /** Leaf first, no roots. */
  readonly chain: readonly Certificate[];
  /** When it came, by the wall clock of that moment. */
  readonly receivedMillis: number;
}

/** What local Envoys, workloads and files are served of an identity. Each member answers as it is now. */
export interface ServedIdentity {
  readonly spiffeId: SpiffeId;
  /** Undefined: none was issued yet. */
  certificate(): HeldCertificate | undefined;
  /** Undefined: none is known yet. */
  bundle(): TrustBundle | undefined;
  /** True: the authority knows no registration for it, and nothing is held. */
  isUnregistered(): boolean;
  /** `changed` is called after the others answer otherwise. Returns how to stop that. */
  subscribe(changed: () => void): () => void;
}

/** What a caller shows the authority. The bearer is a secret: never logged. */
export type AgentCredential =
  | { readonly kind: "certificate"; readonly held: HeldCertificate }
  | { readonly kind: "bearer"; readonly token: string };

export type AskAnswer =
  /** PEM: leaf, intermediates, and one element with all roots. Nothing of it is believed yet. */
  | { readonly ok: true; readonly chain: readonly string[] }
  /** `code`: a gRPC status. */
  | { readonly ok: false; readonly code: number; readonly message: string };

/** A bundle that the authority sent, to be acknowledged or rejected, once, any time later. */
export interface BundleOffer {
  /** PEM of all anchors. */
  readonly pem: string;
  accept(): void;
  reject(message: string): void;
}

/** A connection to the authority with one credential. */
export interface AuthorityLink {
  /** Never rejects. */
  request(csrPem: string, ttlSeconds: number | undefined): Promise<AskAnswer>;
  /**
   * Hears the trust bundle now and at each change, until the link is closed; it connects again by itself. `refused`: the authority does not take the certificate of the link, or not any more. Once for a link.
   */
  followBundle(heard: (offer: BundleOffer) => void, refused: () => void): void;
  close(): void;
}

/** Opens a link. The server must have a certificate of one of these anchors, and the authority's identity. */
export type OpenLink = (anchors: readonly Certificate[], credential: AgentCredential) => AuthorityLink;

/** How the authority is met when no certificate is held: a secret, and whom to trust. Rejects with `agent/attestation`, `agent/root`, `agent/bundle` or `agent/unreachable`. */
export type Attest = (known: TrustBundle | undefined) => Promise<{
  readonly token: string;
  readonly anchors: readonly Certificate[];
}>;

/** What local streams have of a version of the bundle. */
export interface BundleStanding {
  /** Streams that were not sent it, or did not answer yet. */
  readonly waiting: number;
  /** The words of one that rejected it. */
  readonly rejected: string | undefined;
}

/** What failed last, until something succeeds. */
export interface AgentFailure {
  readonly code: FaultCode;
  /** One line. */
  readonly message: string;
  readonly atMillis: number;
  /** How many in a row. */
  readonly tries: number;
}

/** One identity, for the status page. */
export interface IdentityStatus {
  readonly spiffeId: string;
  /** `waiting`: none was issued yet. `not-begun`, `ended`: by this machine's clock. */
  readonly state: "waiting" | "valid" | "not-begun" | "ended";
  readonly certificate:
    | {
        readonly serialHex: string;
        readonly notBeforeMillis: number;
        readonly notAfterMillis: number;
        readonly receivedMillis: number;
      }
    | undefined;
  /** When the authority is asked next; undefined: it is being asked. */
  readonly nextMillis: number | undefined;
  readonly failure: AgentFailure | undefined;
  readonly bundle:
    | {
        readonly version: string;
        readonly anchors: number;
        /** Has the authority been told that everybody here has it? Undefined: it sent none since the start. */
        readonly acknowledged: boolean | undefined;
        readonly rejected: string | undefined;
      }
    | undefined;
  /** Does the state folder hold what is served? */
  readonly kept: boolean;
}
