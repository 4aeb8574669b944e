import type { Lint } from "../contract.ts";
import { everyProfile } from "../profile-sets.ts";

/** It counts what follows an authority. */
export const pathLengthOnlyCa: Lint = {
  id: "path_length_only_ca",
  citation: "RFC 5280 §4.2.1.9",
  what: "A path length stands beside `cA` alone.",
  profiles: everyProfile,
  check: ({ basicConstraints }) =>
    basicConstraints?.ca === false && basicConstraints.pathLength !== undefined
      ? `expected no path length without cA, found ${basicConstraints.pathLength}`
      : undefined,
};
