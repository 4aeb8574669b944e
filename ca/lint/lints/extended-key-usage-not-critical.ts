import type { Lint } from "../contract.ts";
import { extensionOids } from "../extension-oids.ts";
import { everyProfile } from "../profile-sets.ts";

/** Either is legal; Istio and SPIRE write it so. */
export const extendedKeyUsageNotCritical: Lint = {
  id: "extended_key_usage_not_critical",
  citation: "Garita's profile, RFC 5280 §4.2.1.12",
  what: "The extended key usage is not critical.",
  profiles: everyProfile,
  check: (subject) =>
    subject.extension(extensionOids.extendedKeyUsage)?.critical === true
      ? "expected it not critical, found it critical"
      : undefined,
};
