import { createPublicKey, type KeyObject, sign } from "node:crypto";
import { signatureAlgorithmOf } from "#ca/x509/algorithms";
import { latin1Of } from "#ca/x509/der";
import { bytesOf, element, oidElement } from "#ca/x509/encode";
import { extension } from "#ca/x509/profiles";
import { SubjectPublicKey } from "#ca/x509/subject-public-key";

const SEQUENCE = 0x30;
const SET = 0x31;
const VERSION_1 = element(0x02, "\0");
const EMPTY_NAME = element(SEQUENCE, "");

/**
 * A certificate request (RFC 2986 §4) of a private key, with an empty subject; `uri`, ASCII, is asked for as alternative name (RFC 2985 §5.4.2). For our own
 * clients. Throws for a key of another kind than the five, and for a URI beyond ASCII.
 */
export function buildCsr(privateKey: KeyObject, uri: string | undefined): Uint8Array {
  const spkiDer = new Uint8Array(createPublicKey(privateKey).export({ type: "spki", format: "der" }));
  const key = SubjectPublicKey.of(spkiDer);
  if (key === undefined) throw new Error("a request can be made of P-256, P-384 and RSA keys alone");
  const wanted = element(
    SEQUENCE,
    VERSION_1 + EMPTY_NAME + latin1Of(spkiDer) + element(0xa0, uri === undefined ? "" : extensionRequest(uri)),
  );
  const { latin1, digest } = signatureAlgorithmOf(key.kind);
  const signature = sign(digest, bytesOf(wanted), privateKey);
  return bytesOf(element(SEQUENCE, wanted + latin1 + element(0x03, `\0${latin1Of(signature)}`)));
}

function extensionRequest(uri: string): string {
  if (!/^[\x21-\x7e]+$/.test(uri)) throw new Error("a URI of a certificate is ASCII");
  const names = extension("2.5.29.17", true, element(SEQUENCE, element(0x86, uri)));
  return element(SEQUENCE, oidElement("1.2.840.113549.1.9.14") + element(SET, element(SEQUENCE, names)));
}
