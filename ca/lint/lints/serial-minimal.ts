import { shownBytes } from "../bytes.ts";
import type { Lint } from "../contract.ts";
import { everyProfile } from "../profile-sets.ts";

/** An INTEGER has one encoding, and records are found by it. */
export const serialMinimal: Lint = {
  id: "serial_minimal",
  citation: "X.690 §8.3.2",
  what: "The serial number has no octet in front that says nothing.",
  profiles: everyProfile,
  check({ body: { serial } }) {
    const [first, second] = serial;
    const padded = second !== undefined && ((first === 0 && second < 0x80) || (first === 0xff && second >= 0x80));
    return padded ? `expected no padding, found ${shownBytes(serial)}` : undefined;
  },
};
