import type { Lint } from "../contract.ts";
import { everyProfile } from "../profile-sets.ts";

/** Extensions came with version 3, and every certificate of ours has some. */
export const versionIs3: Lint = {
  id: "version_is_3",
  citation: "RFC 5280 §4.1.2.1",
  what: "The version is 3.",
  profiles: everyProfile,
  check: ({ body }) => (body.version === 3 ? undefined : `expected version 3, found ${body.version}`),
};
