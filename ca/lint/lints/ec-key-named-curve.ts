import { shownBytes } from "../bytes.ts";
import type { Lint } from "../contract.ts";
import { everyProfile } from "../profile-sets.ts";

/** A curve that is spelled out may be one of the attacker's. */
export const ecKeyNamedCurve: Lint = {
  id: "ec_key_named_curve",
  citation: "RFC 5480 §2.1.1",
  what: "The algorithm of an EC key names its curve, and neither spells it out nor leaves it to the issuer.",
  profiles: everyProfile,
  check(subject) {
    const parts = subject.keyParts;
    if (parts?.oid !== "1.2.840.10045.2.1" || parts.parameters?.[0] === 0x06) return undefined;
    return `expected a named curve, found ${parts.parameters === undefined ? "none" : shownBytes(parts.parameters)}`;
  },
};
