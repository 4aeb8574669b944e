import type { Lint } from "../contract.ts";
import { extensionOids } from "../extension-oids.ts";
import { everyProfile } from "../profile-sets.ts";

/** Absent would mean no CA too; who reads it should not have to know. */
export const basicConstraintsPresent: Lint = {
  id: "basic_constraints_present",
  citation: "X509-SVID §4.1, RFC 5280 §4.2.1.9",
  what: "There are basic constraints.",
  profiles: everyProfile,
  check: (subject) =>
    subject.extension(extensionOids.basicConstraints) === undefined
      ? "expected basic constraints, found none"
      : undefined,
};
