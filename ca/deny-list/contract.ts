import { ownPath } from "#ca/authorities/server-certificate";

/** The resource that a trust domain's deny list is: its name is the trust domain, its body `encodeSignedDenyList`. */
export const denyListTypeUrl = "type.googleapis.com/garita.revocation.v1.DenyList";

/** Who signs the list of a trust domain: an identity of the authority's own, which no caller can get. */
export function denyListSignerId(trustDomain: string): string {
  return `spiffe://${trustDomain}${ownPath}/deny-list`;
}

/** A list as it goes over the wire and lies on a disk. Nothing of it is believed before `verifyDenyList`. */
export interface SignedDenyList {
  /** `encodeDenyList` of the list. */
  readonly payload: Uint8Array;
  /** ECDSA with P-256 and SHA-256 over `signedBytes(payload)`, r and s of 32 bytes each (IEEE P1363). */
  readonly signature: Uint8Array;
  /** DER: the signer's certificate, then intermediates, without roots. */
  readonly chainDer: readonly Uint8Array[];
}
