import type { Lint } from "../contract.ts";
import { everyProfile } from "../profile-sets.ts";

/** Longer ones need not be taken by anybody. */
export const serialAtMost20Octets: Lint = {
  id: "serial_at_most_20_octets",
  citation: "RFC 5280 §4.1.2.2",
  what: "The serial number has at most 20 octets.",
  profiles: everyProfile,
  check: ({ body: { serial } }) =>
    serial.length <= 20 ? undefined : `expected at most 20 octets, found ${serial.length}`,
};
