import type { Lint } from "../contract.ts";
import { everyProfile } from "../profile-sets.ts";
import { timesOf } from "../times.ts";

const firstOf1950 = Date.UTC(1950, 0, 1);
const firstOf2050 = Date.UTC(2050, 0, 1);

/** A root of 25 years crosses the change of form. */
export const timeFormByYear: Lint = {
  id: "time_form_by_year",
  citation: "RFC 5280 §4.1.2.5",
  what: "Times through the year 2049 are UTCTime, later ones GeneralizedTime.",
  profiles: everyProfile,
  check(subject) {
    for (const { name, time } of timesOf(subject)) {
      const form = time.millis >= firstOf1950 && time.millis < firstOf2050 ? "UTCTime" : "GeneralizedTime";
      if (time.form !== form) return `${name}: expected ${form}, found ${time.form} ${time.text}`;
    }
    return undefined;
  },
};
