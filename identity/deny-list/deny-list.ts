/** A certificate that is refused. */
export interface DeniedCertificate {
  /** SHA-256 of the DER, hex in lower case. */
  readonly fingerprint: string;
  /** When it ends, in Unix milliseconds: after that nobody accepts it anyway. Undefined: not known, it stays for good. */
  readonly endsMillis: number | undefined;
}

/** What a list is made of. */
export interface DenyListParts {
  readonly trustDomain: string;
  /** Raised by every revocation: of two lists the one with the higher number counts. */
  readonly sequence: number;
  /** When it was written, in Unix milliseconds. */
  readonly issuedMillis: number;
  readonly certificates: readonly DeniedCertificate[];
  /** SPIFFE IDs, each for good. */
  readonly identities: readonly string[];
}

/**
 * What is revoked in a trust domain. Immutable: requests pin it with the rules (architecture, law 3). Members are sorted, each there once, so that lists
 * with the same members have the same bytes. Not checked: that texts are fingerprints and SPIFFE IDs, for that is the decoder's to find out.
 */
export class DenyList {
  readonly trustDomain: string;
  readonly sequence: number;
  readonly issuedMillis: number;
  readonly certificates: readonly DeniedCertificate[];
  readonly identities: readonly string[];
  readonly #fingerprints: ReadonlySet<string>;
  readonly #identities: ReadonlySet<string>;

  constructor({ trustDomain, sequence, issuedMillis, certificates, identities }: DenyListParts) {
    this.trustDomain = trustDomain;
    this.sequence = sequence;
    this.issuedMillis = issuedMillis;
    this.certificates = Object.freeze(eachOnce(certificates));
    this.#fingerprints = new Set(this.certificates.map(({ fingerprint }) => fingerprint));
    this.#identities = new Set(identities);
    this.identities = Object.freeze([...this.#identities].sort());
    Object.freeze(this);
  }

  /** Is the certificate with this SHA-256 (hex, lower case) revoked? Constant time. */
  hasCertificate(fingerprint: string): boolean {
    return this.#fingerprints.has(fingerprint);
  }

  /** Is this SPIFFE ID revoked? Texts are compared as they are. Constant time. */
  hasIdentity(spiffeId: string): boolean {
    return this.#identities.has(spiffeId);
  }
}

/** Of a certificate that is named twice the later end counts, and one that is not known counts as the latest. */
function eachOnce(certificates: readonly DeniedCertificate[]): DeniedCertificate[] {
  const ends = new Map<string, number | undefined>();
  for (const { fingerprint, endsMillis } of certificates) {
    const known = ends.has(fingerprint) ? ends.get(fingerprint) : 0;
    ends.set(fingerprint, known === undefined || endsMillis === undefined ? undefined : Math.max(known, endsMillis));
  }
  return [...ends.keys()].sort().map((fingerprint) => ({ fingerprint, endsMillis: ends.get(fingerprint) }));
}
