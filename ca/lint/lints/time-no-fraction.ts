import { shownText } from "../bytes.ts";
import type { Lint } from "../contract.ts";
import { everyProfile } from "../profile-sets.ts";
import { timesOf } from "../times.ts";

/** GeneralizedTime could have one; certificates may not. */
export const timeNoFraction: Lint = {
  id: "time_no_fraction",
  citation: "RFC 5280 §4.1.2.5.2",
  what: "Times have no fractions of seconds.",
  profiles: everyProfile,
  check(subject) {
    const other = timesOf(subject).find(({ time }) => /[.,]/.test(time.text));
    return other === undefined
      ? undefined
      : `${other.name}: expected whole seconds, found ${shownText(other.time.text)}`;
  },
};
