import type { Lint } from "../contract.ts";
import { everyProfile } from "../profile-sets.ts";
import { keyUsageBits as bits } from "../read-extensions.ts";
import { shownUsage } from "../shown-name.ts";

/** Nothing can be enciphered with such a key. */
export const keyUsageEc: Lint = {
  id: "key_usage_ec",
  citation: "RFC 8813 §3",
  what: "Beside an EC key there is neither keyEncipherment nor dataEncipherment.",
  profiles: everyProfile,
  check({ keyUsage, publicKey }) {
    if (keyUsage === undefined || publicKey === undefined || publicKey.kind.startsWith("RSA")) return undefined;
    const wrong = (keyUsage.bits & (bits.keyEncipherment | bits.dataEncipherment)) !== 0;
    return wrong ? `expected no encipherment beside ${publicKey.kind}, found ${shownUsage(keyUsage.bits)}` : undefined;
  },
};
