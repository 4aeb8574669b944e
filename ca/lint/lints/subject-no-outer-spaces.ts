import { shownText } from "../bytes.ts";
import type { Lint } from "../contract.ts";
import { authorities } from "../profile-sets.ts";

/** Comparison of names folds spaces by the RFC and keeps them in programs. */
export const subjectNoOuterSpaces: Lint = {
  id: "subject_no_outer_spaces",
  citation: "RFC 5280 §7.1",
  what: "No attribute of an authority's subject begins or ends with a space.",
  profiles: authorities,
  check({ subject }) {
    const spaced = subject?.find(({ text }) => text.startsWith(" ") || text.endsWith(" "));
    return spaced === undefined ? undefined : `expected no space at the ends, found ${shownText(spaced.text)}`;
  },
};
