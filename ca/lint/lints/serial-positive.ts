import { shownBytes } from "../bytes.ts";
import type { Lint } from "../contract.ts";
import { everyProfile } from "../profile-sets.ts";

/** Zero and less are refused by some, and are no serial numbers. */
export const serialPositive: Lint = {
  id: "serial_positive",
  citation: "RFC 5280 §4.1.2.2",
  what: "The serial number is greater than zero.",
  profiles: everyProfile,
  check({ body: { serial } }) {
    const positive = serial.length > 0 && serial[0]! < 0x80 && serial.some((octet) => octet !== 0);
    return positive ? undefined : `expected a positive serial number, found ${shownBytes(serial)}`;
  },
};
