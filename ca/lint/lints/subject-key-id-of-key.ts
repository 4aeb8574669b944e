import { hash } from "node:crypto";
import { sameBytes } from "#ca/x509/bytes";
import { shownBytes } from "../bytes.ts";
import type { Lint } from "../contract.ts";
import { everyProfile } from "../profile-sets.ts";

/** So that it is the same wherever the key comes up again. */
export const subjectKeyIdOfKey: Lint = {
  id: "subject_key_id_of_key",
  citation: "RFC 7093 §2 method 1, RFC 5280 §4.2.1.2",
  what: "The subject key identifier is the first 160 bits of the SHA-256 of the public key's bits.",
  profiles: everyProfile,
  check(subject) {
    const found = subject.subjectKeyId;
    const parts = subject.keyParts;
    if (found === undefined || parts === undefined) return undefined;
    const expected = hash("sha256", parts.keyBits, "buffer").subarray(0, 20);
    return sameBytes(found, expected) ? undefined : `expected ${shownBytes(expected)}, found ${shownBytes(found)}`;
  },
};
