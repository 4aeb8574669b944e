import type { DenyList } from "./deny-list.ts";

/** The form of the bytes. A list of another form is not read, so that no reader misses what it does not know. */
export const denyListVersion = 1;

/** Longer lists are neither written nor read: with the signature and its certificates one fits into a gRPC message of the default limit (4 MiB). */
export const mostDenyListBytes = 3 * 1024 * 1024;

/**
 * The one text of a list: JSON without blanks, members in the order of the alphabet, of a certificate `[fingerprint, end]` or `[fingerprint]`. Cost: one pass
 * over the list, about 80 bytes for a certificate.
 */
export function encodeDenyList({
  certificates,
  identities,
  issuedMillis,
  sequence,
  trustDomain,
}: DenyList): Uint8Array {
  const text = JSON.stringify({
    certificates: certificates.map(({ fingerprint, endsMillis }) =>
      endsMillis === undefined ? [fingerprint] : [fingerprint, endsMillis],
    ),
    identities,
    issuedMillis,
    sequence,
    trustDomain,
    version: denyListVersion,
  });
  return new TextEncoder().encode(text);
}
