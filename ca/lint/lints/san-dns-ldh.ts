import { shownText } from "../bytes.ts";
import type { Lint } from "../contract.ts";
import { leaves } from "../profile-sets.ts";

const label = /^[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?$/;

/** The preferred name syntax: no wildcards, no underscores, no dot at the end. */
export const sanDnsLdh: Lint = {
  id: "san_dns_ldh",
  citation: "RFC 5280 §4.2.1.6, RFC 1034 §3.5",
  what: "Labels of DNS names are letters, digits and hyphens, with no hyphen at either end.",
  profiles: leaves,
  check({ dnsNames }) {
    const other = dnsNames.find((name) => !name.split(".").every((each) => label.test(each)));
    return other === undefined
      ? undefined
      : `expected a DNS name of letters, digits and hyphens, found ${shownText(other)}`;
  },
};
