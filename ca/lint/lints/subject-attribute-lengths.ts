import type { Lint } from "../contract.ts";
import { authorities } from "../profile-sets.ts";

const longestCharacters = 64;

/** Upper bounds that strict readers keep: a trust domain's name may be longer, and must be shortened. */
export const subjectAttributeLengths: Lint = {
  id: "subject_attribute_lengths",
  citation: "RFC 5280 Appendix A.1 (ub-organization-name, ub-common-name)",
  what: "Attributes of an authority's subject have 1 to 64 characters.",
  profiles: authorities,
  check({ subject }) {
    for (const { oid, bytes } of subject ?? []) {
      const characters = [...Buffer.from(bytes).toString("utf8")].length;
      if (characters < 1 || characters > longestCharacters)
        return `expected 1 to ${longestCharacters} characters in ${oid}, found ${characters}`;
    }
    return undefined;
  },
};
