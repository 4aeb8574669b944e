import type { Lint } from "../contract.ts";
import { extensionOids } from "../extension-oids.ts";
import { everyProfile } from "../profile-sets.ts";

/** MUST be marked so. */
export const authorityKeyIdNotCritical: Lint = {
  id: "authority_key_id_not_critical",
  citation: "RFC 5280 §4.2.1.1",
  what: "The authority key identifier is not critical.",
  profiles: everyProfile,
  check: (subject) =>
    subject.extension(extensionOids.authorityKeyId)?.critical === true
      ? "expected it not critical, found it critical"
      : undefined,
};
