import { wholeSecond } from "#ca/x509/time";
import type { Lint } from "../contract.ts";
import { everyProfile } from "../profile-sets.ts";

/** What is recorded is what is signed. */
export const notBeforeAsGranted: Lint = {
  id: "not_before_as_granted",
  citation: "Garita's profile",
  what: "`notBefore` is the granted time, down to the second.",
  profiles: everyProfile,
  check({ body: { notBefore } }, { grantedNotBeforeMillis }) {
    if (notBefore.millis === wholeSecond(grantedNotBeforeMillis)) return undefined;
    return `expected ${new Date(wholeSecond(grantedNotBeforeMillis)).toISOString()}, found ${notBefore.text}`;
  },
};
