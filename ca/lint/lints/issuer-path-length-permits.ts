import type { Lint } from "../contract.ts";
import { LintSubject } from "../lint-subject.ts";
import { issued } from "../profile-sets.ts";

/** Leaves are not counted, authorities are. */
export const issuerPathLengthPermits: Lint = {
  id: "issuer_path_length_permits",
  citation: "RFC 5280 §4.2.1.9, §6.1.4 (l)",
  what: "The issuer's path length leaves room for this certificate.",
  profiles: issued,
  check(_subject, { issuer, profile }) {
    const found = issuer === undefined ? undefined : LintSubject.ofIssuer(issuer.body).basicConstraints?.pathLength;
    return profile === "issuing" && found === 0
      ? "expected an issuer with room for an authority below it, found the path length 0"
      : undefined;
  },
};
