import type { Lint } from "../contract.ts";
import { leaves } from "../profile-sets.ts";
import { shownName } from "../shown-name.ts";

/** Other lengths are addresses with masks, which belong in constraints. */
export const sanIpLengths: Lint = {
  id: "san_ip_lengths",
  citation: "RFC 5280 §4.2.1.6",
  what: "IP addresses have 4 or 16 octets.",
  profiles: leaves,
  check({ subjectAltName }) {
    const other = subjectAltName?.find(
      (name) => name.kind === "ip" && name.bytes.length !== 4 && name.bytes.length !== 16,
    );
    return other === undefined ? undefined : `expected 4 or 16 octets, found ${shownName(other)}`;
  },
};
