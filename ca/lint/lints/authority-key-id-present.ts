import type { Lint } from "../contract.ts";
import { extensionOids } from "../extension-oids.ts";
import { issued } from "../profile-sets.ts";

/** Verifiers find the issuer among several of one name by it. */
export const authorityKeyIdPresent: Lint = {
  id: "authority_key_id_present",
  citation: "RFC 5280 §4.2.1.1",
  what: "There is an authority key identifier.",
  profiles: issued,
  check: (subject) =>
    subject.extension(extensionOids.authorityKeyId) === undefined
      ? "expected an authority key identifier, found none"
      : undefined,
};
