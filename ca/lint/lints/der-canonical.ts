import type { Lint } from "../contract.ts";
import { derFault } from "../der-fault.ts";
import { extensionName } from "../extension-oids.ts";
import { everyProfile } from "../profile-sets.ts";

/** One value has one encoding: what a relying party encodes again has the same signature. */
export const derCanonical: Lint = {
  id: "der_canonical",
  citation: "RFC 5280 §4.1, X.690 §10, §11",
  what: "Every element is in the one form that DER gives it, those inside of extensions too.",
  profiles: everyProfile,
  check({ body }) {
    const fault = derFault(body.tbsDer);
    if (fault !== undefined) return fault;
    for (const { oid, value } of body.extensions) {
      const inside = derFault(value);
      if (inside !== undefined) return `${extensionName(oid)}: ${inside}`;
    }
    return undefined;
  },
};
