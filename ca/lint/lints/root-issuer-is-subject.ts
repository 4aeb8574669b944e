import { sameBytes } from "#ca/x509/bytes";
import type { Lint } from "../contract.ts";
import { roots } from "../profile-sets.ts";

/** A root names itself. */
export const rootIssuerIsSubject: Lint = {
  id: "root_issuer_is_subject",
  citation: "RFC 5280 §3.2",
  what: "Issuer and subject of a root have the same bytes.",
  profiles: roots,
  check: ({ body }) =>
    sameBytes(body.issuerDer, body.subjectDer) ? undefined : "expected the subject's bytes as issuer, found others",
};
