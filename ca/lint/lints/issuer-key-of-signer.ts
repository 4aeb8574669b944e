import type { Lint } from "../contract.ts";
import { LintSubject } from "../lint-subject.ts";
import { issued } from "../profile-sets.ts";

/** The certificate that is sent with this one must fit the key that signs. */
export const issuerKeyOfSigner: Lint = {
  id: "issuer_key_of_signer",
  citation: "RFC 5280 §6.1.3",
  what: "The key in the issuer's certificate is of the kind that signs.",
  profiles: issued,
  check(_subject, { issuer, signerKeyKind }) {
    if (issuer === undefined) return "expected an issuer, found none";
    const found = LintSubject.ofIssuer(issuer.body).publicKey?.kind;
    return found === signerKeyKind && issuer.keyKind === signerKeyKind
      ? undefined
      : `expected ${signerKeyKind}, found ${found ?? "no known key"}`;
  },
};
