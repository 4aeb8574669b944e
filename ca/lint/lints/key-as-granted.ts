import { sameBytes } from "#ca/x509/bytes";
import type { Lint } from "../contract.ts";
import { everyProfile } from "../profile-sets.ts";

/** Whose possession was proven. */
export const keyAsGranted: Lint = {
  id: "key_as_granted",
  citation: "Garita's profile",
  what: "The public key has the granted bytes.",
  profiles: everyProfile,
  check: ({ body }, { grantedSpkiDer }) =>
    sameBytes(body.spkiDer, grantedSpkiDer) ? undefined : "expected the granted key byte by byte, found another",
};
