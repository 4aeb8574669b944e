import type { Lint } from "../contract.ts";
import { leaves } from "../profile-sets.ts";
import { keyUsageBits as bits } from "../read-extensions.ts";
import { shownUsage } from "../shown-name.ts";

/** What a handshake is made with. */
export const keyUsageLeafSigns: Lint = {
  id: "key_usage_leaf_signs",
  citation: "X509-SVID §4.3",
  what: "The key usage of a leaf has digitalSignature.",
  profiles: leaves,
  check: ({ keyUsage }) =>
    keyUsage === undefined || (keyUsage.bits & bits.digitalSignature) !== 0
      ? undefined
      : `expected digitalSignature, found ${shownUsage(keyUsage.bits)}`,
};
