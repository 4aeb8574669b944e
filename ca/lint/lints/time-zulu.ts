import { shownText } from "../bytes.ts";
import type { Lint } from "../contract.ts";
import { everyProfile } from "../profile-sets.ts";
import { timesOf } from "../times.ts";

/** No other zone, and not the local time of nobody knows where. */
export const timeZulu: Lint = {
  id: "time_zulu",
  citation: "RFC 5280 §4.1.2.5.1, §4.1.2.5.2",
  what: "Times end with `Z`.",
  profiles: everyProfile,
  check(subject) {
    const other = timesOf(subject).find(({ time }) => !time.text.endsWith("Z"));
    return other === undefined
      ? undefined
      : `${other.name}: expected a time that ends with Z, found ${shownText(other.time.text)}`;
  },
};
