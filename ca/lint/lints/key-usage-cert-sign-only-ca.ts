import type { Lint } from "../contract.ts";
import { everyProfile } from "../profile-sets.ts";
import { keyUsageBits as bits } from "../read-extensions.ts";

/** The two must not say different things. */
export const keyUsageCertSignOnlyCa: Lint = {
  id: "key_usage_cert_sign_only_ca",
  citation: "RFC 5280 §4.2.1.9",
  what: "Whoever has keyCertSign is a CA by its basic constraints.",
  profiles: everyProfile,
  check({ keyUsage, basicConstraints }) {
    const signs = keyUsage !== undefined && (keyUsage.bits & bits.keyCertSign) !== 0;
    return signs && basicConstraints?.ca !== true
      ? "expected no keyCertSign beside basic constraints without cA, found it"
      : undefined;
  },
};
