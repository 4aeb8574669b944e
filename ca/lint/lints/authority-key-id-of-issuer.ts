import { sameBytes } from "#ca/x509/bytes";
import { shownBytes } from "../bytes.ts";
import type { Lint } from "../contract.ts";
import { LintSubject } from "../lint-subject.ts";
import { issued } from "../profile-sets.ts";

/** Whatever the issuer's is, by whatever method it was made. */
export const authorityKeyIdOfIssuer: Lint = {
  id: "authority_key_id_of_issuer",
  citation: "RFC 5280 §4.2.1.1",
  what: "The authority key identifier is the issuer's subject key identifier.",
  profiles: issued,
  check({ authorityKeyId }, { issuer }) {
    if (authorityKeyId?.keyId === undefined || issuer === undefined) return undefined;
    const expected = LintSubject.ofIssuer(issuer.body).subjectKeyId;
    if (expected === undefined) return "expected an issuer with a subject key identifier, found one without";
    return sameBytes(authorityKeyId.keyId, expected)
      ? undefined
      : `expected ${shownBytes(expected)}, found ${shownBytes(authorityKeyId.keyId)}`;
  },
};
