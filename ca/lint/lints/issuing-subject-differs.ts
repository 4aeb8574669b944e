import { sameBytes } from "#ca/x509/bytes";
import type { Lint } from "../contract.ts";
import { issuingAuthorities } from "../profile-sets.ts";

/** OpenSSL and GnuTLS take an authority with its issuer's subject for its own issuer, and the chain ends there. */
export const issuingSubjectDiffers: Lint = {
  id: "issuing_subject_differs",
  citation: "RFC 5280 §3.2",
  what: "An issuing authority has another subject than its issuer: it is not self-issued.",
  profiles: issuingAuthorities,
  check: ({ body }) =>
    sameBytes(body.issuerDer, body.subjectDer)
      ? "expected another subject than the issuer's, found the same"
      : undefined,
};
