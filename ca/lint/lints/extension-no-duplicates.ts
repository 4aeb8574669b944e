import type { Lint } from "../contract.ts";
import { extensionName } from "../extension-oids.ts";
import { everyProfile } from "../profile-sets.ts";

/** Which of two counts, every reader decides for itself. */
export const extensionNoDuplicates: Lint = {
  id: "extension_no_duplicates",
  citation: "RFC 5280 §4.2",
  what: "No extension is there twice.",
  profiles: everyProfile,
  check({ body: { extensions } }) {
    const twice = extensions.find(({ oid }, i) => extensions.findIndex((other) => other.oid === oid) < i);
    return twice === undefined ? undefined : `expected each extension once, found ${extensionName(twice.oid)} again`;
  },
};
