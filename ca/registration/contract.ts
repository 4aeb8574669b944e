import type { KeyKind } from "#ca/x509/contract";
import type { SpiffeId } from "#identity/spiffe-id";

/** Who may become which SPIFFE ID: one WorkloadRegistration, decoded and valid. */
export interface RegistrationEntry {
  /** `namespace/name` of the document. */
  readonly name: string;
  readonly source: { readonly file: string; readonly line: number };
  /**
   * The SPIFFE ID in parts: text as it stands, or the path of a claim whose value stands there, which must be one path segment's text.
   * An entry with a claim part matches callers with tokens of an issuer alone.
   */
  readonly spiffeId: readonly SpiffeIdPart[];
  /** Any of them. */
  readonly callers: readonly CallerSelector[];
  readonly dnsNames: readonly string[];
  /** Empty: every kind. */
  readonly keyKinds: readonly KeyKind[];
  readonly ttlSeconds: number | undefined;
  readonly maxTtlSeconds: number | undefined;
}

export type SpiffeIdPart =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "claim"; readonly path: readonly string[] };

/** What a caller must be. */
export type CallerSelector =
  | { readonly kind: "spiffe-id"; readonly id: string }
  | { readonly kind: "jwt"; readonly issuer: string; readonly claims: readonly ClaimSelector[] }
  /** A join token that was made for this SPIFFE ID. */
  | { readonly kind: "join-token" };

/** The claim is one of the texts, or a list that holds one of them. Never empty. */
export interface ClaimSelector {
  readonly path: readonly string[];
  readonly values: readonly string[];
}

/** An identity that a caller may have, and the entry that gives it. */
export interface Match {
  readonly entry: RegistrationEntry;
  readonly id: SpiffeId;
}

/** Which of its identities a caller gets. `seen` and `wanted` are for the operator's explanation; neither holds a credential. */
export type AuthorizedIdentity =
  | { readonly ok: true; readonly entry: RegistrationEntry; readonly id: SpiffeId }
  | {
      readonly ok: false;
      readonly code: "identity/not-registered" | "identity/not-allowed" | "identity/ambiguous";
      readonly seen: string;
      readonly wanted: string;
    };
