import type { Lint } from "../contract.ts";
import { everyProfile } from "../profile-sets.ts";
import { keyUsageBits as bits } from "../read-extensions.ts";
import { shownUsage } from "../shown-name.ts";

/** Nothing less, and nothing that would come in handy. */
export const keyUsageOfProfile: Lint = {
  id: "key_usage_of_profile",
  citation: "Garita's profile, X509-SVID §4.3",
  what: "The key usage of a leaf is digitalSignature, with keyEncipherment beside an RSA key; of an authority keyCertSign and cRLSign.",
  profiles: everyProfile,
  check({ keyUsage }, { profile, subjectKeyKind }) {
    if (keyUsage === undefined) return undefined;
    const leaf = subjectKeyKind.startsWith("RSA")
      ? bits.digitalSignature | bits.keyEncipherment
      : bits.digitalSignature;
    const expected = profile === "leaf" ? leaf : bits.keyCertSign | bits.cRLSign;
    return keyUsage.bits === expected
      ? undefined
      : `expected ${shownUsage(expected)}, found ${shownUsage(keyUsage.bits)}`;
  },
};
