import type { Lint } from "../contract.ts";
import { extensionOids } from "../extension-oids.ts";
import { leaves } from "../profile-sets.ts";

/** Some verifiers take a leaf without one for nothing. */
export const extendedKeyUsagePresent: Lint = {
  id: "extended_key_usage_present",
  citation: "X509-SVID §4.4",
  what: "A leaf has an extended key usage.",
  profiles: leaves,
  check: (subject) =>
    subject.extension(extensionOids.extendedKeyUsage) === undefined
      ? "expected an extended key usage, found none"
      : undefined,
};
