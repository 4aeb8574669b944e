import { shownText } from "../bytes.ts";
import type { Lint } from "../contract.ts";
import { leaves } from "../profile-sets.ts";

/** They come from the registration, never from the request. */
export const sanDnsAsGranted: Lint = {
  id: "san_dns_as_granted",
  citation: "Garita's profile",
  what: "DNS names are the granted ones, in their order.",
  profiles: leaves,
  check({ dnsNames }, { grantedDnsNames }) {
    if (dnsNames.length === grantedDnsNames.length && dnsNames.every((name, i) => name === grantedDnsNames[i]))
      return undefined;
    return `expected ${shownText(grantedDnsNames.join(", "))}, found ${shownText(dnsNames.join(", "))}`;
  },
};
