import { wholeSecond } from "#ca/x509/time";
import type { Lint } from "../contract.ts";
import { everyProfile } from "../profile-sets.ts";

/** What is recorded is what is signed. */
export const notAfterAsGranted: Lint = {
  id: "not_after_as_granted",
  citation: "Garita's profile",
  what: "`notAfter` is the granted time, down to the second.",
  profiles: everyProfile,
  check({ body: { notAfter } }, { grantedNotAfterMillis }) {
    if (notAfter.millis === wholeSecond(grantedNotAfterMillis)) return undefined;
    return `expected ${new Date(wholeSecond(grantedNotAfterMillis)).toISOString()}, found ${notAfter.text}`;
  },
};
