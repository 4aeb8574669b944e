import { shownText } from "../bytes.ts";
import type { Lint } from "../contract.ts";
import { everyProfile } from "../profile-sets.ts";
import { timesOf } from "../times.ts";

/** They are written even if they are zero. */
export const timeHasSeconds: Lint = {
  id: "time_has_seconds",
  citation: "RFC 5280 §4.1.2.5.1, §4.1.2.5.2",
  what: "Times have seconds: twelve digits as UTCTime, fourteen as GeneralizedTime.",
  profiles: everyProfile,
  check(subject) {
    const other = timesOf(subject).find(
      ({ time }) => (/^\d*/.exec(time.text)?.[0].length ?? 0) !== (time.form === "UTCTime" ? 12 : 14),
    );
    return other === undefined
      ? undefined
      : `${other.name}: expected a time with seconds, found ${shownText(other.time.text)}`;
  },
};
