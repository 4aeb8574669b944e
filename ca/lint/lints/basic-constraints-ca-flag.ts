import type { Lint } from "../contract.ts";
import { everyProfile } from "../profile-sets.ts";

/** It separates whom identities are given to from who gives them. */
export const basicConstraintsCaFlag: Lint = {
  id: "basic_constraints_ca_flag",
  citation: "X509-SVID §4.1, §5.2",
  what: "`cA` is true in an authority and false in a leaf.",
  profiles: everyProfile,
  check({ basicConstraints }, { profile }) {
    const expected = profile !== "leaf";
    return basicConstraints === undefined || basicConstraints.ca === expected
      ? undefined
      : `expected cA ${expected}, found ${!expected}`;
  },
};
