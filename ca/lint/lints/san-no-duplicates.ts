import type { Lint } from "../contract.ts";
import { everyProfile } from "../profile-sets.ts";
import { shownName } from "../shown-name.ts";

/** Nothing is said by saying it twice. */
export const sanNoDuplicates: Lint = {
  id: "san_no_duplicates",
  citation: "Garita's profile",
  what: "No name is there twice.",
  profiles: everyProfile,
  check({ subjectAltName }) {
    const shown = subjectAltName?.map(shownName) ?? [];
    const twice = shown.find((name, i) => shown.indexOf(name) < i);
    return twice === undefined ? undefined : `expected each name once, found ${twice} again`;
  },
};
