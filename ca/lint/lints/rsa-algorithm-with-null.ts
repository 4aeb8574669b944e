import { shownBytes } from "../bytes.ts";
import type { Lint } from "../contract.ts";
import { everyProfile } from "../profile-sets.ts";

/** The other way round than with ECDSA, and as strictly. */
export const rsaAlgorithmWithNull: Lint = {
  id: "rsa_algorithm_with_null",
  citation: "RFC 4055 §5",
  what: "An RSA signature algorithm has the parameters NULL.",
  profiles: everyProfile,
  check({ signatureAlgorithm: parts }) {
    if (parts === undefined || !parts.oid.startsWith("1.2.840.113549.1.1.")) return undefined;
    const { parameters } = parts;
    if (parameters?.length === 2 && parameters[0] === 0x05 && parameters[1] === 0) return undefined;
    return `expected the parameters NULL beside RSA, found ${parameters === undefined ? "none" : shownBytes(parameters)}`;
  },
};
