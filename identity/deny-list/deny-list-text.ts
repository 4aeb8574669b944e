import type { DenyList } from "./deny-list.ts";

/** The form of the text. A list of another form is not read, so that no reader misses what it does not know. */
export const denyListVersion = 1;

/**
 * The one text of a list: JSON without blanks, members in the order of the alphabet, of a certificate `[fingerprint, end]` or `[fingerprint]`. ASCII; about 85
 * characters for a certificate.
 */
export function denyListText({ certificates, identities, issuedMillis, sequence, trustDomain }: DenyList): string {
  return JSON.stringify({
    certificates: certificates.map(({ fingerprint, endsMillis }) =>
      endsMillis === undefined ? [fingerprint] : [fingerprint, endsMillis],
    ),
    identities,
    issuedMillis,
    sequence,
    trustDomain,
    version: denyListVersion,
  });
}
