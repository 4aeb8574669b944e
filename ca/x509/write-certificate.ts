import { hash } from "node:crypto";
import { signatureAlgorithmOf } from "./algorithms.ts";
import type { CertificateTemplate, IssuerNames, KeyKind } from "./contract.ts";
import { latin1Of } from "./der.ts";
import { bytesOf, element } from "./encode.ts";
import { encodeName } from "./name.ts";
import {
  authorityKeyUsage,
  extension,
  issuingBasicConstraints,
  leafBasicConstraints,
  leafExtendedKeyUsage,
  leafKeyUsage,
  rootBasicConstraints,
} from "./profiles.ts";
import { SubjectPublicKey } from "./subject-public-key.ts";
import { writtenTime } from "./time.ts";

const SEQUENCE = 0x30;
const VERSION_3 = element(0xa0, element(0x02, "\x02"));
const EMPTY_NAME = element(SEQUENCE, "");

/**
 * The to-be-signed bytes of a certificate, as its profile says (`profiles.ts`). Names of the issuer and the key are copied byte by byte. What it
 * says is not judged: that is for the lints. Throws a plain Error for a template that nobody should have made: a key of another shape than the five, a serial
 * number that is not positive and minimal, a time that cannot be written, a URI or DNS name beyond ASCII, an address of another size. About 10 µs.
 */
export function buildTbs(template: CertificateTemplate): Uint8Array {
  const key = SubjectPublicKey.of(template.subjectPublicKeyDer);
  if (key === undefined) throw new Error("the key of a certificate has none of the known shapes");
  const subject =
    template.profile === "leaf" ? EMPTY_NAME : latin1Of(encodeName(template.organization, template.commonName));
  const signerKeyKind = template.issuer?.keyKind ?? key.kind;
  return bytesOf(
    element(
      SEQUENCE,
      VERSION_3 +
        serialElement(template.serial) +
        signatureAlgorithmOf(signerKeyKind).latin1 +
        (template.issuer === undefined ? subject : latin1Of(template.issuer.subjectDer)) +
        element(SEQUENCE, timeElement(template.notBeforeMillis) + timeElement(template.notAfterMillis)) +
        subject +
        latin1Of(template.subjectPublicKeyDer) +
        element(0xa3, element(SEQUENCE, extensionsOf(template, key))),
    ),
  );
}

/** The whole certificate: the body, the algorithm of such a signer, and the signature. Nothing is verified. */
export function assembleCertificate(tbsDer: Uint8Array, signerKeyKind: KeyKind, signature: Uint8Array): Uint8Array {
  const { latin1 } = signatureAlgorithmOf(signerKeyKind);
  return bytesOf(element(SEQUENCE, latin1Of(tbsDer) + latin1 + element(0x03, `\0${latin1Of(signature)}`)));
}

/** The first 20 bytes of SHA-256 of the key bits (RFC 7093 §2 method 1). Throws for a key of another shape than the five. */
export function subjectKeyId(spkiDer: Uint8Array): Uint8Array {
  const key = SubjectPublicKey.of(spkiDer);
  if (key === undefined) throw new Error("the key has none of the known shapes");
  return keyIdOf(key);
}

const SERIAL = 16;

/**
 * A serial number: 16 random bytes of which the top bit is clear, so positive, and the first byte is not zero, so minimal and never 0 (RFC 5280 §4.1.2.2).
 * 126.9 bits of chance. `randomBytes` must be fit for keys. Throws when it gives nothing but zeros.
 */
export function drawSerial(randomBytes: (sizeBytes: number) => Uint8Array): Uint8Array {
  for (let attempt = 0; attempt < 64; attempt++) {
    const serial = new Uint8Array(randomBytes(SERIAL));
    serial[0]! &= 0x7f;
    if (serial.length === SERIAL && serial[0] !== 0) return serial;
  }
  throw new Error("the source of randomness gives none");
}

function serialElement(serial: Uint8Array): string {
  const [first, second] = serial;
  const positive = first !== undefined && first < 0x80 && (first > 0 || (second !== undefined && second >= 0x80));
  if (!positive || serial.length > 20)
    throw new Error("a serial number must be positive, minimal, of at most 20 bytes");
  return element(0x02, latin1Of(serial));
}

function timeElement(millis: number): string {
  const { tag, text } = writtenTime(millis);
  return element(tag, text);
}

function extensionsOf(template: CertificateTemplate, key: SubjectPublicKey): string {
  const ids = extension("2.5.29.14", false, element(0x04, latin1Of(keyIdOf(key)))) + authorityKeyId(template.issuer);
  switch (template.profile) {
    case "leaf":
      // RFC 5280 §4.2.1.6: the subject is empty, so the names are critical.
      return (
        leafKeyUsage(key.kind) +
        leafExtendedKeyUsage +
        leafBasicConstraints +
        ids +
        alternativeNames(true, [
          ia5Name(0x86, template.uri),
          ...template.dnsNames.map((name) => ia5Name(0x82, name)),
          ...template.ipAddresses.map(ipName),
        ])
      );
    case "issuing":
    case "root":
      return (
        authorityKeyUsage +
        (template.profile === "root" ? rootBasicConstraints : issuingBasicConstraints) +
        ids +
        (template.uri === undefined ? "" : alternativeNames(false, [ia5Name(0x86, template.uri)]))
      );
  }
}

/** Nothing for a root, which is its own (RFC 5280 §4.2.1.1). */
function authorityKeyId(issuer: IssuerNames | undefined): string {
  if (issuer === undefined) return "";
  return extension("2.5.29.35", false, element(SEQUENCE, element(0x80, latin1Of(issuer.subjectKeyId))));
}

function alternativeNames(critical: boolean, names: readonly string[]): string {
  return extension("2.5.29.17", critical, element(SEQUENCE, names.join("")));
}

function ia5Name(tag: number, text: string): string {
  for (let i = 0; i < text.length; i++)
    if (text.charCodeAt(i) > 0x7e || text.charCodeAt(i) < 0x21)
      throw new Error("a name of a certificate must be visible ASCII");
  if (text === "") throw new Error("a name of a certificate must not be empty");
  return element(tag, text);
}

function ipName(address: Uint8Array): string {
  if (address.length !== 4 && address.length !== 16) throw new Error("an address has 4 or 16 bytes");
  return element(0x87, latin1Of(address));
}

function keyIdOf(key: SubjectPublicKey): Uint8Array {
  return new Uint8Array(hash("sha256", keyBitsOf(key), "buffer").subarray(0, 20));
}

/** The BIT STRING is the last of a SubjectPublicKeyInfo; its content behind the count of unused bits. */
function keyBitsOf(key: SubjectPublicKey): Uint8Array {
  return key.spkiDer.subarray(keyBitsStart[key.kind]);
}

const keyBitsStart: Readonly<Record<KeyKind, number>> = {
  "P-256": 26,
  "P-384": 23,
  "RSA-2048": 24,
  "RSA-3072": 24,
  "RSA-4096": 24,
};
