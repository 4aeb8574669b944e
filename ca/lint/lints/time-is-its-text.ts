import { shownText } from "../bytes.ts";
import type { Lint } from "../contract.ts";
import { everyProfile } from "../profile-sets.ts";
import { millisOfText, timesOf } from "../times.ts";

/** A 31st of June would roll over to July in one reader and be refused by the other. */
export const timeIsItsText: Lint = {
  id: "time_is_its_text",
  citation: "RFC 5280 §4.1.2.5",
  what: "Times are days and hours that exist, and were read as they are written.",
  profiles: everyProfile,
  check(subject) {
    const other = timesOf(subject).find(
      ({ time }) =>
        (time.form === "UTCTime" ? /^\d{12}Z$/ : /^\d{14}Z$/).test(time.text) && millisOfText(time) !== time.millis,
    );
    return other === undefined
      ? undefined
      : `${other.name}: expected a time that exists, found ${shownText(other.time.text)}`;
  },
};
