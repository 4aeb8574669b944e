import type { Lint } from "../contract.ts";
import { everyProfile } from "../profile-sets.ts";

/** Some verifiers refuse the NULL that RSA's identifiers have. */
export const ecdsaAlgorithmWithoutParameters: Lint = {
  id: "ecdsa_algorithm_without_parameters",
  citation: "RFC 5758 §3.2",
  what: "An ECDSA signature algorithm has no parameters, not even NULL.",
  profiles: everyProfile,
  check({ signatureAlgorithm: parts }) {
    if (parts === undefined || !parts.oid.startsWith("1.2.840.10045.4.") || parts.parameters === undefined)
      return undefined;
    return "expected no parameters beside ECDSA, found some";
  },
};
