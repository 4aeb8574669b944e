import { latin1Of } from "./der.ts";
import { bytesOf, element, oidElement } from "./encode.ts";
import { encodeName } from "./name.ts";
import { authorityKeyUsage, extension, issuingBasicConstraints } from "./profiles.ts";

const SEQUENCE = 0x30;
const SET = 0x31;
const extensionRequest = "1.2.840.113549.1.9.14";

/**
 * What is signed of a certificate request (RFC 2986 §4.1) for an issuing authority: its subject, its key, and what its certificate should say (RFC 2985 §5.4.2): CA with
 * path length 0, keyCertSign and cRLSign, the URI. `assembleCertificate` makes the request of it and its signature, as it does of a certificate.
 */
export function buildIssuingRequest(wanted: {
  readonly organization: string;
  readonly commonName: string;
  readonly uri: string;
  readonly subjectPublicKeyDer: Uint8Array;
}): Uint8Array {
  const names = extension("2.5.29.17", false, element(SEQUENCE, element(0x86, wanted.uri)));
  const extensions = element(SEQUENCE, authorityKeyUsage + issuingBasicConstraints + names);
  const attribute = element(SEQUENCE, oidElement(extensionRequest) + element(SET, extensions));
  return bytesOf(
    element(
      SEQUENCE,
      element(0x02, "\0") +
        latin1Of(encodeName(wanted.organization, wanted.commonName)) +
        latin1Of(wanted.subjectPublicKeyDer) +
        element(0xa0, attribute),
    ),
  );
}
