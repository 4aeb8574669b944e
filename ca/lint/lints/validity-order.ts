import type { Lint } from "../contract.ts";
import { everyProfile } from "../profile-sets.ts";

/** Both ends are within the validity: one second is the shortest. */
export const validityOrder: Lint = {
  id: "validity_order",
  citation: "RFC 5280 §4.1.2.5",
  what: "`notBefore` is earlier than `notAfter`.",
  profiles: everyProfile,
  check: ({ body: { notBefore, notAfter } }) =>
    notBefore.millis < notAfter.millis
      ? undefined
      : `expected notBefore before notAfter, found ${notBefore.text} and ${notAfter.text}`,
};
