import type { Lint } from "../contract.ts";
import { extensionOids } from "../extension-oids.ts";
import { everyProfile } from "../profile-sets.ts";

/** Where there is a subject, the name is one more. */
export const sanNotCriticalWithSubject: Lint = {
  id: "san_not_critical_with_subject",
  citation: "RFC 5280 §4.2.1.6",
  what: "The subject alternative name is not critical where there is a subject.",
  profiles: everyProfile,
  check(subject) {
    const san = subject.extension(extensionOids.subjectAltName);
    return san?.critical === true && (subject.subject?.length ?? 0) > 0
      ? "expected it not critical, found it critical"
      : undefined;
  },
};
