import type { Lint } from "../contract.ts";
import { extensionOids } from "../extension-oids.ts";
import { everyProfile } from "../profile-sets.ts";

/** A key without one may be used for anything. */
export const keyUsagePresent: Lint = {
  id: "key_usage_present",
  citation: "X509-SVID §4.3, RFC 5280 §4.2.1.3",
  what: "There is a key usage.",
  profiles: everyProfile,
  check: (subject) =>
    subject.extension(extensionOids.keyUsage) === undefined ? "expected a key usage, found none" : undefined,
};
