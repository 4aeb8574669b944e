import { shownText } from "../bytes.ts";
import type { Lint } from "../contract.ts";
import { leaves } from "../profile-sets.ts";

/** No resolver knows longer ones. */
export const sanDnsLengths: Lint = {
  id: "san_dns_lengths",
  citation: "RFC 1035 §2.3.4",
  what: "Labels of DNS names have at most 63 characters, names at most 253.",
  profiles: leaves,
  check({ dnsNames }) {
    const other = dnsNames.find((name) => name.length > 253 || name.split(".").some((label) => label.length > 63));
    return other === undefined
      ? undefined
      : `expected a shorter DNS name, found ${other.length} characters in ${shownText(other)}`;
  },
};
