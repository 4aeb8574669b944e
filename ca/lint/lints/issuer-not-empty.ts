import type { Lint } from "../contract.ts";
import { everyProfile } from "../profile-sets.ts";
import { readName } from "../read-name.ts";

/** Chains are built by it. */
export const issuerNotEmpty: Lint = {
  id: "issuer_not_empty",
  citation: "RFC 5280 §4.1.2.4",
  what: "The issuer is a distinguished name that is not empty.",
  profiles: everyProfile,
  check({ body }) {
    const name = readName(body.issuerDer);
    return name !== undefined && name.length > 0
      ? undefined
      : `expected a name, found ${name === undefined ? "no distinguished name" : "an empty one"}`;
  },
};
