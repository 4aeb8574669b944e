import type { Lint } from "../contract.ts";
import { authorities } from "../profile-sets.ts";

/** It is what its certificates name as their issuer. */
export const authoritySubjectNotEmpty: Lint = {
  id: "authority_subject_not_empty",
  citation: "RFC 5280 §4.1.2.6",
  what: "The subject of an authority is a distinguished name that is not empty.",
  profiles: authorities,
  check: ({ subject }) =>
    subject !== undefined && subject.length > 0
      ? undefined
      : `expected a name, found ${subject === undefined ? "no distinguished name" : "an empty one"}`,
};
