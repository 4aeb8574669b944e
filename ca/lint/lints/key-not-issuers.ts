import { sameBytes } from "#ca/x509/bytes";
import type { Lint } from "../contract.ts";
import { issued } from "../profile-sets.ts";

/** Whoever had this certificate's key could sign as its issuer. */
export const keyNotIssuers: Lint = {
  id: "key_not_issuers",
  citation: "Garita's profile",
  what: "The public key is not the issuer's.",
  profiles: issued,
  check: ({ body }, { issuer }) =>
    issuer !== undefined && sameBytes(body.spkiDer, issuer.body.spkiDer)
      ? "expected another key than the issuer's, found the same"
      : undefined,
};
