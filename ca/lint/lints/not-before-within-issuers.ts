import type { Lint } from "../contract.ts";
import { issued } from "../profile-sets.ts";

/** How far `notBefore` may lie before the issuer's: certificates are dated back for clocks that are behind, an issuer that was just made less so. */
const longestBackdateMillis = 5 * 60_000;

/** Certificates from before their issuer were not made by it. */
export const notBeforeWithinIssuers: Lint = {
  id: "not_before_within_issuers",
  citation: "Garita's profile, RFC 5280 §6.1.3",
  what: "`notBefore` is not more than five minutes earlier than the issuer's.",
  profiles: issued,
  check({ body: { notBefore } }, { issuer }) {
    if (issuer === undefined || notBefore.millis >= issuer.body.notBefore.millis - longestBackdateMillis)
      return undefined;
    return `expected at least the issuer's ${issuer.body.notBefore.text} less five minutes, found ${notBefore.text}`;
  },
};
