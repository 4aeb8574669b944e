import type { Lint } from "../contract.ts";
import { leaves } from "../profile-sets.ts";
import { keyUsageBits as bits } from "../read-extensions.ts";
import { shownUsage } from "../shown-name.ts";

/** A leaf that is an authority makes identities of its own. */
export const keyUsageLeafSignsNoCertificates: Lint = {
  id: "key_usage_leaf_signs_no_certificates",
  citation: "X509-SVID §4.3, §5.2",
  what: "The key usage of a leaf has neither keyCertSign nor cRLSign.",
  profiles: leaves,
  check: ({ keyUsage }) =>
    keyUsage === undefined || (keyUsage.bits & (bits.keyCertSign | bits.cRLSign)) === 0
      ? undefined
      : `expected no keyCertSign and cRLSign, found ${shownUsage(keyUsage.bits)}`,
};
