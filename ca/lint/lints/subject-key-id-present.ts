import type { Lint } from "../contract.ts";
import { extensionOids } from "../extension-oids.ts";
import { everyProfile } from "../profile-sets.ts";

/** MUST for authorities, SHOULD for leaves. */
export const subjectKeyIdPresent: Lint = {
  id: "subject_key_id_present",
  citation: "RFC 5280 §4.2.1.2",
  what: "There is a subject key identifier.",
  profiles: everyProfile,
  check: (subject) =>
    subject.extension(extensionOids.subjectKeyId) === undefined
      ? "expected a subject key identifier, found none"
      : undefined,
};
