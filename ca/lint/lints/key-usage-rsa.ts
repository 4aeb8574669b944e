import type { Lint } from "../contract.ts";
import { everyProfile } from "../profile-sets.ts";
import { keyUsageBits as bits } from "../read-extensions.ts";
import { shownUsage } from "../shown-name.ts";

/** Nothing can be agreed upon with such a key. */
export const keyUsageRsa: Lint = {
  id: "key_usage_rsa",
  citation: "RFC 3279 §2.3.1",
  what: "Beside an RSA key there is no keyAgreement.",
  profiles: everyProfile,
  check({ keyUsage, publicKey }) {
    if (keyUsage === undefined || publicKey?.kind.startsWith("RSA") !== true) return undefined;
    return (keyUsage.bits & bits.keyAgreement) !== 0
      ? `expected no keyAgreement beside ${publicKey.kind}, found ${shownUsage(keyUsage.bits)}`
      : undefined;
  },
};
