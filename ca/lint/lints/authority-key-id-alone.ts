import type { Lint } from "../contract.ts";
import { everyProfile } from "../profile-sets.ts";

/** Issuer and serial beside it break chains when the issuer's certificate is renewed. */
export const authorityKeyIdAlone: Lint = {
  id: "authority_key_id_alone",
  citation: "RFC 5280 §4.2.1.1",
  what: "The authority key identifier holds the key identifier, and neither issuer nor serial number.",
  profiles: everyProfile,
  check({ authorityKeyId }) {
    if (authorityKeyId === undefined) return undefined;
    if (authorityKeyId.keyId === undefined) return "expected a key identifier, found none";
    return authorityKeyId.namesIssuer
      ? "expected a key identifier alone, found issuer or serial number too"
      : undefined;
  },
};
