import type { Lint } from "../contract.ts";
import { issued } from "../profile-sets.ts";

/** A chain is valid only as long as each of it; what ends after its issuer ends unseen with it. */
export const notAfterWithinIssuers: Lint = {
  id: "not_after_within_issuers",
  citation: "Garita's profile, RFC 5280 §6.1.3",
  what: "`notAfter` is not later than the issuer's.",
  profiles: issued,
  check({ body: { notAfter } }, { issuer }) {
    if (issuer === undefined || notAfter.millis <= issuer.body.notAfter.millis) return undefined;
    return `expected at most the issuer's ${issuer.body.notAfter.text}, found ${notAfter.text}`;
  },
};
