import type { Lint } from "../contract.ts";
import { authorities } from "../profile-sets.ts";

/** Below an issuing authority there are leaves only; below a root, what it signs. */
export const pathLengthOfProfile: Lint = {
  id: "path_length_of_profile",
  citation: "Garita's profile",
  what: "The path length of an issuing authority is 0; a root has none.",
  profiles: authorities,
  check({ basicConstraints }, { profile }) {
    const expected = profile === "issuing" ? 0 : undefined;
    if (basicConstraints === undefined || basicConstraints.pathLength === expected) return undefined;
    return `expected ${expected ?? "no path length"}, found ${basicConstraints.pathLength ?? "none"}`;
  },
};
