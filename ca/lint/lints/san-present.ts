import type { Lint } from "../contract.ts";
import { extensionOids } from "../extension-oids.ts";
import { everyProfile } from "../profile-sets.ts";

/** It is where the identity stands. */
export const sanPresent: Lint = {
  id: "san_present",
  citation: "X509-SVID §2, RFC 5280 §4.1.2.6",
  what: "There is a subject alternative name where an identity was granted, and none in a root without one.",
  profiles: everyProfile,
  check(subject, { grantedId }) {
    const there = subject.extension(extensionOids.subjectAltName) !== undefined;
    if (there === (grantedId !== undefined)) return undefined;
    return there
      ? "expected no subject alternative name, found one"
      : "expected a subject alternative name, found none";
  },
};
