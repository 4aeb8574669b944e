import { nameConstraintsFault } from "#ca/x509/name-constraints";
import type { Lint } from "../contract.ts";
import { extensionOids } from "../extension-oids.ts";
import { LintSubject } from "../lint-subject.ts";
import { issued } from "../profile-sets.ts";

/** An authority from elsewhere may be limited to names that the granted ones are not among. */
export const issuerNameConstraintsPermit: Lint = {
  id: "issuer_name_constraints_permit",
  citation: "RFC 5280 §4.2.1.10, X509-SVID §4.2",
  what: "The names are within the issuer's name constraints, where it has any.",
  profiles: issued,
  check({ body, subjectAltName }, { issuer }) {
    const constraints =
      issuer === undefined ? undefined : LintSubject.ofIssuer(issuer.body).extension(extensionOids.nameConstraints);
    return constraints === undefined
      ? undefined
      : nameConstraintsFault(constraints.value, subjectAltName ?? [], body.subjectDer);
  },
};
