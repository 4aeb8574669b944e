import type { Lint } from "../contract.ts";
import { extensionOids } from "../extension-oids.ts";
import { everyProfile } from "../profile-sets.ts";

/** A reader that does not know the extension would see a certificate of nobody. */
export const sanCriticalWithoutSubject: Lint = {
  id: "san_critical_without_subject",
  citation: "RFC 5280 §4.1.2.6, X509-SVID §3.1",
  what: "The subject alternative name is critical where the subject is empty.",
  profiles: everyProfile,
  check(subject) {
    const san = subject.extension(extensionOids.subjectAltName);
    return san !== undefined && !san.critical && subject.subject?.length === 0
      ? "expected it critical, found it not"
      : undefined;
  },
};
