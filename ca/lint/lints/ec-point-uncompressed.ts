import { shownBytes } from "../bytes.ts";
import type { Lint } from "../contract.ts";
import { everyProfile } from "../profile-sets.ts";

/** Compressed ones need not be taken, and one of a single zero octet is no point at all. */
export const ecPointUncompressed: Lint = {
  id: "ec_point_uncompressed",
  citation: "RFC 5480 §2.2",
  what: "The point of an EC key is uncompressed.",
  profiles: everyProfile,
  check(subject) {
    const parts = subject.keyParts;
    if (parts?.oid !== "1.2.840.10045.2.1" || parts.keyBits[0] === 0x04) return undefined;
    return `expected an uncompressed point, found ${shownBytes(parts.keyBits)}`;
  },
};
