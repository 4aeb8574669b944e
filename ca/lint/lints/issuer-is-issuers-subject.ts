import { sameBytes } from "#ca/x509/bytes";
import { shownBytes } from "../bytes.ts";
import type { Lint } from "../contract.ts";
import { issued } from "../profile-sets.ts";

/** Equal in meaning is not enough: Go compares bytes, and finds no issuer where PrintableString stands for UTF8String. */
export const issuerIsIssuersSubject: Lint = {
  id: "issuer_is_issuers_subject",
  citation: "RFC 5280 §4.1.2.4, §6.1.3",
  what: "The issuer has the bytes of the issuer's subject.",
  profiles: issued,
  check({ body }, { issuer }) {
    if (issuer === undefined) return "expected an issuer to compare with, found none";
    if (sameBytes(body.issuerDer, issuer.body.subjectDer)) return undefined;
    return `expected ${shownBytes(issuer.body.subjectDer)}, found ${shownBytes(body.issuerDer)}`;
  },
};
