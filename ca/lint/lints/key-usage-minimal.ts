import type { Lint } from "../contract.ts";
import { everyProfile } from "../profile-sets.ts";

/** Named bits end with the last that is one. */
export const keyUsageMinimal: Lint = {
  id: "key_usage_minimal",
  citation: "X.690 §11.2.2",
  what: "The BIT STRING of the key usage has no zero bits at its end.",
  profiles: everyProfile,
  check: ({ keyUsage }) =>
    keyUsage?.minimal === false ? "expected no bit behind the last that is one, found some" : undefined,
};
