import type { Lint } from "../contract.ts";
import { extensionOids } from "../extension-oids.ts";
import { authorities } from "../profile-sets.ts";

/** Some verifiers take it for a constraint on everything below, others do not. */
export const extendedKeyUsageNotAuthority: Lint = {
  id: "extended_key_usage_not_authority",
  citation: "Garita's profile, X509-SVID §4.4",
  what: "An authority has no extended key usage.",
  profiles: authorities,
  check: (subject) =>
    subject.extension(extensionOids.extendedKeyUsage) !== undefined
      ? "expected no extended key usage, found one"
      : undefined,
};
