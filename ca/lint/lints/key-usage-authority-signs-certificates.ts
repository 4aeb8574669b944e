import type { Lint } from "../contract.ts";
import { authorities } from "../profile-sets.ts";
import { keyUsageBits as bits } from "../read-extensions.ts";
import { shownUsage } from "../shown-name.ts";

/** Without it nothing below it is valid. */
export const keyUsageAuthoritySignsCertificates: Lint = {
  id: "key_usage_authority_signs_certificates",
  citation: "X509-SVID §4.3, RFC 5280 §4.2.1.3",
  what: "The key usage of an authority has keyCertSign.",
  profiles: authorities,
  check: ({ keyUsage }) =>
    keyUsage === undefined || (keyUsage.bits & bits.keyCertSign) !== 0
      ? undefined
      : `expected keyCertSign, found ${shownUsage(keyUsage.bits)}`,
};
