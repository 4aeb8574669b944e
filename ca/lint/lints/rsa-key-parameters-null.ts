import { shownBytes } from "../bytes.ts";
import type { Lint } from "../contract.ts";
import { everyProfile } from "../profile-sets.ts";

/** MUST be there, and NULL. */
export const rsaKeyParametersNull: Lint = {
  id: "rsa_key_parameters_null",
  citation: "RFC 3279 §2.3.1",
  what: "The algorithm of an RSA key has the parameters NULL.",
  profiles: everyProfile,
  check(subject) {
    const parts = subject.keyParts;
    if (parts?.oid !== "1.2.840.113549.1.1.1") return undefined;
    const { parameters } = parts;
    if (parameters?.length === 2 && parameters[0] === 0x05 && parameters[1] === 0) return undefined;
    return `expected the parameters NULL, found ${parameters === undefined ? "none" : shownBytes(parameters)}`;
  },
};
