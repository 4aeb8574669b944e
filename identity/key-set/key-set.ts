/** Public keys of one issuer, read from a JSON Web Key Set (RFC 7517 §5) as Envoy reads it. */

/** A key that Envoy would take: its type and numbers were looked at. A private half that the document had is not kept. */
export interface VerificationKey {
  readonly kty: "RSA" | "EC" | "oct" | "OKP";
  /** `""`: none. A byte string: UTF-8 bytes as characters, as a token's `kid` is. */
  readonly kid: string;
  /** `""`: none. A byte string. */
  readonly alg: string;
  /** EC and OKP: the curve that the key is on. */
  readonly crv: string | undefined;
  /** What an import needs, and nothing else (RFC 7518 §6): `n`, `e`; `crv`, `x`, `y`; `k`; `crv`, `x`. Canonical base64url. */
  readonly jwk: Readonly<Record<string, string>>;
  /** The document says that the key is for something else than to verify signatures (RFC 7517 §4.2, §4.3). Envoy does not look. */
  readonly otherUse?: true;
}

/** INVARIANT: immutable, at least one key. Two sets of equal `version` are the same set. */
export interface KeySet {
  /** Unique in a process: what was verified with one set says nothing under another. */
  readonly version: number;
  /** In the order of the document. */
  readonly keys: readonly VerificationKey[];
}
