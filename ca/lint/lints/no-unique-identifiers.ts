import type { Lint } from "../contract.ts";
import { childrenOf, wholeElement } from "../der-element.ts";
import { everyProfile } from "../profile-sets.ts";

/** They were for names that are used again, which ours are not. */
export const noUniqueIdentifiers: Lint = {
  id: "no_unique_identifiers",
  citation: "RFC 5280 §4.1.2.8",
  what: "There are no unique identifiers of issuer and subject.",
  profiles: everyProfile,
  check({ body }) {
    const tbs = wholeElement(body.tbsDer);
    const found =
      tbs === undefined
        ? undefined
        : childrenOf(tbs)?.find(({ tag }) => (tag & 0xdf) === 0x81 || (tag & 0xdf) === 0x82);
    return found === undefined
      ? undefined
      : `expected no unique identifier, found one of the ${(found.tag & 0x1f) === 1 ? "issuer" : "subject"}`;
  },
};
