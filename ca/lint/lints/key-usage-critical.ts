import type { Lint } from "../contract.ts";
import { extensionOids } from "../extension-oids.ts";
import { everyProfile } from "../profile-sets.ts";

/** MUST for SVIDs, SHOULD elsewhere. */
export const keyUsageCritical: Lint = {
  id: "key_usage_critical",
  citation: "X509-SVID §4.3, RFC 5280 §4.2.1.3",
  what: "The key usage is critical.",
  profiles: everyProfile,
  check: (subject) =>
    subject.extension(extensionOids.keyUsage)?.critical === false ? "expected it critical, found it not" : undefined,
};
