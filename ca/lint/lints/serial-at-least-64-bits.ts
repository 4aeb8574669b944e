import { shownBytes } from "../bytes.ts";
import type { Lint } from "../contract.ts";
import { everyProfile } from "../profile-sets.ts";

/** A serial number that cannot be foreseen keeps a forger from preparing a collision. Ours have 127 random bits: of fewer than 64 one says that something is broken. */
export const serialAtLeast64Bits: Lint = {
  id: "serial_at_least_64_bits",
  citation: "CA/Browser Forum BR §7.1",
  what: "The serial number has at least eight octets.",
  profiles: everyProfile,
  check: ({ body: { serial } }) =>
    serial.length >= 8 ? undefined : `expected at least 8 octets, found ${shownBytes(serial)}`,
};
