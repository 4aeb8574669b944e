import type { Lint } from "../contract.ts";
import { everyProfile } from "../profile-sets.ts";

/** A key that is good for nothing was meant for something. */
export const keyUsageNotEmpty: Lint = {
  id: "key_usage_not_empty",
  citation: "RFC 5280 §4.2.1.3",
  what: "The key usage has a bit.",
  profiles: everyProfile,
  check: ({ keyUsage }) => (keyUsage?.bits === 0 ? "expected at least one bit, found none" : undefined),
};
