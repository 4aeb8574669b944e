import type { Lint } from "../contract.ts";
import { everyProfile } from "../profile-sets.ts";
import { keyUsageBits as bits } from "../read-extensions.ts";
import { shownUsage } from "../shown-name.ts";

/** They narrow an agreement; without one they mean nothing. */
export const keyUsageOnlyBitsNeedAgreement: Lint = {
  id: "key_usage_only_bits_need_agreement",
  citation: "RFC 5280 §4.2.1.3",
  what: "encipherOnly and decipherOnly stand beside keyAgreement alone.",
  profiles: everyProfile,
  check({ keyUsage }) {
    if (keyUsage === undefined || (keyUsage.bits & (bits.encipherOnly | bits.decipherOnly)) === 0) return undefined;
    return (keyUsage.bits & bits.keyAgreement) === 0
      ? `expected keyAgreement beside them, found ${shownUsage(keyUsage.bits)}`
      : undefined;
  },
};
