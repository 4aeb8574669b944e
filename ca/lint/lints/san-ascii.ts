import { shownText } from "../bytes.ts";
import type { Lint } from "../contract.ts";
import { everyProfile } from "../profile-sets.ts";

/** IA5String has no others; a zero octet is where programs in C stop reading. */
export const sanAscii: Lint = {
  id: "san_ascii",
  citation: "RFC 5280 §4.2.1.6",
  what: "Names are of printable ASCII, without spaces, and not empty.",
  profiles: everyProfile,
  check({ subjectAltName }) {
    for (const name of subjectAltName ?? [])
      if ("value" in name && !/^[\x21-\x7e]+$/.test(name.value))
        return `expected printable ASCII, found ${shownText(name.value)}`;
    return undefined;
  },
};
