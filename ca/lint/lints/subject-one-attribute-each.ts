import type { Lint } from "../contract.ts";
import { authorities } from "../profile-sets.ts";

/** Relative names of several attributes are compared as sets by some and as rows by others. */
export const subjectOneAttributeEach: Lint = {
  id: "subject_one_attribute_each",
  citation: "RFC 5280 §4.1.2.4, §7.1",
  what: "Each relative name of the subject has one attribute.",
  profiles: authorities,
  check({ subject }) {
    const several = subject?.find(({ beside }) => beside > 1);
    return several === undefined ? undefined : `expected one attribute, found ${several.beside} in one relative name`;
  },
};
