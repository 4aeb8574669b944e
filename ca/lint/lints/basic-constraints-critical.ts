import type { Lint } from "../contract.ts";
import { extensionOids } from "../extension-oids.ts";
import { everyProfile } from "../profile-sets.ts";

/** MUST for authorities; for leaves it is our profile. */
export const basicConstraintsCritical: Lint = {
  id: "basic_constraints_critical",
  citation: "RFC 5280 §4.2.1.9",
  what: "The basic constraints are critical.",
  profiles: everyProfile,
  check: (subject) =>
    subject.extension(extensionOids.basicConstraints)?.critical === false
      ? "expected them critical, found them not"
      : undefined,
};
