import type { Lint } from "../contract.ts";
import { everyProfile } from "../profile-sets.ts";

/** At least one name must be there. */
export const sanNotEmpty: Lint = {
  id: "san_not_empty",
  citation: "RFC 5280 §4.2.1.6",
  what: "The subject alternative name holds a name.",
  profiles: everyProfile,
  check: ({ subjectAltName }) => (subjectAltName?.length === 0 ? "expected a name, found none" : undefined),
};
