import { shownBytes } from "../bytes.ts";
import type { Lint } from "../contract.ts";
import { everyProfile } from "../profile-sets.ts";

/** The shapes that every reader takes for the same key. */
export const keyKnownShape: Lint = {
  id: "key_known_shape",
  citation: "RFC 5480 §2.1.1, RFC 3279 §2.3.1",
  what: "The public key is P-256 or P-384, or RSA with 2048, 3072 or 4096 bits and the exponent 65537, in the usual encoding.",
  profiles: everyProfile,
  check: ({ body, publicKey }) =>
    publicKey !== undefined ? undefined : `expected one of the five shapes of keys, found ${shownBytes(body.spkiDer)}`,
};
