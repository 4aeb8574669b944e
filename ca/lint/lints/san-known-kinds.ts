import type { Lint } from "../contract.ts";
import { everyProfile } from "../profile-sets.ts";
import { shownName } from "../shown-name.ts";

/** Mail addresses, directory names and the like are granted to nobody. */
export const sanKnownKinds: Lint = {
  id: "san_known_kinds",
  citation: "Garita's profile",
  what: "Beside the URI there are DNS names and IP addresses only, and none of them in an authority.",
  profiles: everyProfile,
  check({ subjectAltName }, { profile }) {
    const other = subjectAltName?.find(
      ({ kind }) => kind !== "uri" && (profile !== "leaf" || (kind !== "dns" && kind !== "ip")),
    );
    return other === undefined ? undefined : `expected no such name, found ${shownName(other)}`;
  },
};
