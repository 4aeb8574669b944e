import type { Lint } from "../contract.ts";
import { LintSubject } from "../lint-subject.ts";
import { issued } from "../profile-sets.ts";
import { keyUsageBits as bits } from "../read-extensions.ts";

/** No verifier takes what another leaf signed. */
export const issuerIsCa: Lint = {
  id: "issuer_is_ca",
  citation: "RFC 5280 §4.2.1.9, §6.1.4 (k), (n)",
  what: "The issuer is a CA by its basic constraints, and may sign certificates by its key usage, where it has one.",
  profiles: issued,
  check(_subject, { issuer }) {
    if (issuer === undefined) return "expected an issuer, found none";
    const { basicConstraints, keyUsage } = LintSubject.ofIssuer(issuer.body);
    if (basicConstraints?.ca !== true) return "expected an issuer that is a CA, found one that is not";
    return keyUsage !== undefined && (keyUsage.bits & bits.keyCertSign) === 0
      ? "expected an issuer with keyCertSign, found one without"
      : undefined;
  },
};
