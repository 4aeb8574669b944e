import type { Lint } from "../contract.ts";
import { everyProfile } from "../profile-sets.ts";

/** A leaf's are an empty SEQUENCE. */
export const basicConstraintsDefaultNotWritten: Lint = {
  id: "basic_constraints_default_not_written",
  citation: "X.690 §11.5",
  what: "`cA` is not written where it is false.",
  profiles: everyProfile,
  check: ({ basicConstraints }) =>
    basicConstraints?.defaultWritten === true ? "expected no cA where it is false, found one" : undefined,
};
