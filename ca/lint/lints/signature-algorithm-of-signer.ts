import { sameBytes } from "#ca/x509/bytes";
import { shownBytes } from "../bytes.ts";
import type { Lint } from "../contract.ts";
import { everyProfile } from "../profile-sets.ts";
import { signatureAlgorithmOf } from "../signature-algorithms.ts";

/** The member stands for the one outside, which the signature does not cover. */
export const signatureAlgorithmOfSigner: Lint = {
  id: "signature_algorithm_of_signer",
  citation: "RFC 5280 §4.1.1.2, §4.1.2.3",
  what: "The signature algorithm is the one with which the signer's key signs, byte by byte: ECDSA with SHA-256 or SHA-384, or PKCS #1 v1.5 with SHA-256.",
  profiles: everyProfile,
  check({ body }, { signerKeyKind }) {
    const expected = signatureAlgorithmOf(signerKeyKind);
    const found = body.signatureAlgorithmDer;
    return sameBytes(found, expected)
      ? undefined
      : `expected ${shownBytes(expected)} for ${signerKeyKind}, found ${shownBytes(found)}`;
  },
};
