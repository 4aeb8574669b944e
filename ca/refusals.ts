/** How the outside sees a refusal; the transports translate it (`INVALID_ARGUMENT`, 400 and so on). */
export type RefusalStatus =
  | "invalid-argument"
  | "unauthenticated"
  | "permission-denied"
  | "resource-exhausted"
  | "unavailable"
  | "internal";

export interface RefusalRow {
  readonly status: RefusalStatus;
  /** For the caller: never more than this, with the id of the explanation. */
  readonly message: string;
  /** For the operator: what mends it. */
  readonly help: string;
}

/** Why no certificate is given out: THE table of the authority's refusals. `docs/ca-refusals.md` is written from it. */
export const refusals = {
  "csr/too-large": {
    status: "invalid-argument",
    message: "the certificate request is too large",
    help: "a request of a supported key has less than 2 KiB; 16 KiB of PEM and 8 KiB of DER are read",
  },
  "csr/pem": {
    status: "invalid-argument",
    message: "the certificate request is no PEM block of a certificate request",
    help: "send one block `-----BEGIN CERTIFICATE REQUEST-----` and nothing else",
  },
  "csr/der": {
    status: "invalid-argument",
    message: "the certificate request is not DER",
    help: "make it anew, as with `openssl req -new`: lengths must be definite and minimal, nothing may follow",
  },
  "csr/shape": {
    status: "invalid-argument",
    message: "the certificate request is not as PKCS #10 says",
    help: "RFC 2986: version 0, subject, key, attributes",
  },
  "csr/signature-algorithm": {
    status: "invalid-argument",
    message: "the signature algorithm of the certificate request is not taken",
    help: "P-256 and P-384: SHA-256 or SHA-384; RSA: PKCS #1 v1.5 with SHA-256, SHA-384 or SHA-512",
  },
  "csr/signature": {
    status: "invalid-argument",
    message: "the certificate request is not signed by its own key",
    help: "make it anew with the private key whose public key it carries",
  },
  "csr/names": {
    status: "permission-denied",
    message: "the certificate request names another identity than the caller's",
    help: "ask for the identity that you have, or for none; `ca.csrNames: ignore` passes over names",
  },
  "key/kind": {
    status: "invalid-argument",
    message: "the key of the certificate request is not taken",
    help: "P-256, P-384, or RSA with 2048, 3072 or 4096 bits and the exponent 65537, in the usual encoding",
  },
  "key/not-allowed": {
    status: "permission-denied",
    message: "this kind of key is not allowed for the identity",
    help: "see `keyKinds` of its WorkloadRegistration",
  },
  "key/weak": {
    status: "invalid-argument",
    message: "the key of the certificate request is weak",
    help: "make a new key with a current library",
  },
  "key/blocked": {
    status: "invalid-argument",
    message: "the key of the certificate request is known to be compromised",
    help: "make a new key",
  },
  "key/authority": {
    status: "permission-denied",
    message: "the key of the certificate request is an authority's",
    help: "make a key of the workload's own",
  },
  "key/in-use": {
    status: "permission-denied",
    message: "the key of the certificate request belongs to another identity",
    help: "make a key for each identity",
  },
  "key/not-renewed": {
    status: "permission-denied",
    message: "a certificate that has ended is renewed for its own key alone",
    help: "ask with the key of that certificate, as `garita agent` does, or prove who you are by a join token or a token of an issuer",
  },
  "caller/none": {
    status: "unauthenticated",
    message: "no credential",
    help: "bring a client certificate, a token of a configured issuer, or a join token (`garita ca token new`)",
  },
  "caller/refused": {
    status: "unauthenticated",
    message: "no credential was accepted",
    help: "the explanation has what each credential lacked; a certificate that has ended is renewed within `ca.renewalGraceSeconds`; a join token is good once: `garita ca token new` makes another",
  },
  "caller/unavailable": {
    status: "unavailable",
    message: "credentials cannot be verified now",
    help: "the keys of the token's issuer are not there, or none can be used: see the explanation and the log",
  },
  "identity/not-registered": {
    status: "permission-denied",
    message: "the caller may have no identity",
    help: "add a WorkloadRegistration whose `callers` match (for an operator any of the identity will do); `garita ca entries` shows those in force",
  },
  "identity/not-allowed": {
    status: "permission-denied",
    message: "the caller may not have this identity",
    help: "add a WorkloadRegistration of this identity whose `callers` match",
  },
  "identity/ambiguous": {
    status: "invalid-argument",
    message: "the caller may have several identities and named none",
    help: "name one (`--id`, `spiffeId`); CreateCertificate takes the caller's own, else the only one",
  },
  "identity/impersonation": {
    status: "permission-denied",
    message: "impersonation is not offered",
    help: "each workload asks for itself",
  },
  "identity/revoked": {
    status: "permission-denied",
    message: "the identity is revoked",
    help: "for good; `garita ca list --revoked` has its certificates, `garita ca show SERIAL` tells by whom and why",
  },
  "signer/unknown": {
    status: "invalid-argument",
    message: "the requested signer is not known",
    help: "leave `CertSigner` empty",
  },
  "ttl/too-long": {
    status: "invalid-argument",
    message: "the requested lifetime is longer than allowed",
    help: "ask for less, or raise `ca.leaf.maxTtlSeconds` or the registration's `ttl.max`",
  },
  "rate/address": {
    status: "resource-exhausted",
    message: "too many requests from this address",
    help: "see `ca.limits`",
  },
  "rate/caller": {
    status: "resource-exhausted",
    message: "too many requests of this caller",
    help: "a client that asks in a loop? See `ca.limits`",
  },
  "rate/overload": {
    status: "resource-exhausted",
    message: "the authority is busy",
    help: "clients ask again by themselves",
  },
  "authority/none": {
    status: "unavailable",
    message: "no authority is active",
    help: "see `garita ca status`",
  },
  "authority/expiring": {
    status: "unavailable",
    message: "the authority is about to end",
    help: "what is left of its lifetime is less than the shortest certificate: see `garita ca status`",
  },
  "clock/backwards": {
    status: "unavailable",
    message: "the authority's clock is behind its own records",
    help: "set the clock right: it is more than five minutes before the last record, or before the beginning of the authority",
  },
  "store/unavailable": {
    status: "unavailable",
    message: "the authority cannot keep records now",
    help: "see the log and `garita ca status`: a full disk, a file that may not be written",
  },
  "issue/lint": {
    status: "internal",
    message: "the authority refused its own certificate",
    help: "a defect of ours: the lints of the explanation tell which",
  },
  "issue/defect": {
    status: "internal",
    message: "the authority failed",
    help: "a defect of ours: see the log",
  },
} as const satisfies Readonly<Record<`${string}/${string}`, RefusalRow>>;

export type RefusalCode = keyof typeof refusals;
