import { sameBytes } from "#ca/x509/bytes";
import { shownBytes } from "../bytes.ts";
import type { Lint } from "../contract.ts";
import { roots } from "../profile-sets.ts";

/** It may be left out, and must not point elsewhere. */
export const rootAuthorityKeyIdOwn: Lint = {
  id: "root_authority_key_id_own",
  citation: "RFC 5280 §4.2.1.1",
  what: "The authority key identifier of a root, where there is one, is its own subject key identifier.",
  profiles: roots,
  check({ authorityKeyId, subjectKeyId }) {
    const found = authorityKeyId?.keyId;
    if (found === undefined || subjectKeyId === undefined || sameBytes(found, subjectKeyId)) return undefined;
    return `expected ${shownBytes(subjectKeyId)}, found ${shownBytes(found)}`;
  },
};
