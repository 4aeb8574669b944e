import { parseSpiffeId } from "#identity/spiffe-id";
import { shownText } from "../bytes.ts";
import type { Lint } from "../contract.ts";
import { LintSubject } from "../lint-subject.ts";
import { issued } from "../profile-sets.ts";

function trustDomainOf(subject: LintSubject): string | undefined {
  const parsed = parseSpiffeId(subject.uris[0] ?? "");
  return parsed.ok ? parsed.id.trustDomain : undefined;
}

/** An issuer that says which trust domain it is of signs for no other. */
export const trustDomainOfIssuer: Lint = {
  id: "trust_domain_of_issuer",
  citation: "X509-SVID §3.2",
  what: "The SPIFFE ID is in the trust domain that the issuer's certificate names, where it names one.",
  profiles: issued,
  check(subject, { issuer }) {
    const own = trustDomainOf(subject);
    const expected = issuer === undefined ? undefined : trustDomainOf(LintSubject.ofIssuer(issuer.body));
    if (own === undefined || expected === undefined || own === expected) return undefined;
    return `expected the trust domain ${shownText(expected)}, found ${shownText(own)}`;
  },
};
