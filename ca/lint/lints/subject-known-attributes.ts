import type { Lint } from "../contract.ts";
import { authorities } from "../profile-sets.ts";

const organization = "2.5.4.10";
const commonName = "2.5.4.3";

/** Organization and common name: what a person reads of an authority. */
export const subjectKnownAttributes: Lint = {
  id: "subject_known_attributes",
  citation: "Garita's profile",
  what: "The subject of an authority has an organization, then at most a common name.",
  profiles: authorities,
  check({ subject }) {
    if (subject === undefined || subject.length === 0) return undefined;
    const found = subject.map(({ oid }) => oid).join(", ");
    return found === organization || found === `${organization}, ${commonName}`
      ? undefined
      : `expected ${organization} and ${commonName}, found ${found}`;
  },
};
