import type { KeyKind } from "./contract.ts";
import { element, oidElement } from "./encode.ts";

/**
 * What a certificate of each profile says beside names, times and keys (X509-SVID §4, RFC 5280 §4.2). Every extension that a certificate of ours can have is one of
 * these, in this order: key usage, extended key usage, basic constraints, subject key id, authority key id, alternative names.
 */

/** One extension, encoded: `content` is the DER inside its OCTET STRING. */
export function extension(oid: string, critical: boolean, content: string): string {
  return element(0x30, oidElement(oid) + (critical ? TRUE : "") + element(0x04, content));
}

const TRUE = element(0x01, "\xff");
const FROM_BIT_5 = element(0x03, "\x01\x06");

/** RFC 5280 §4.2.1.3: keyCertSign and cRLSign. */
export const authorityKeyUsage = extension("2.5.29.15", true, FROM_BIT_5);

const digitalSignature = extension("2.5.29.15", true, element(0x03, "\x07\x80"));
const digitalSignatureAndKeyEncipherment = extension("2.5.29.15", true, element(0x03, "\x05\xa0"));

/** Elliptic keys only sign (RFC 8813 §3); RSA keys may carry keys too, as Istio's do. */
export function leafKeyUsage(kind: KeyKind): string {
  return kind.startsWith("RSA") ? digitalSignatureAndKeyEncipherment : digitalSignature;
}

/** serverAuth and clientAuth (X509-SVID §4.4). */
export const leafExtendedKeyUsage = extension(
  "2.5.29.37",
  false,
  element(0x30, oidElement("1.3.6.1.5.5.7.3.1") + oidElement("1.3.6.1.5.5.7.3.2")),
);

/** CA:FALSE, which is the default and thus nothing. */
export const leafBasicConstraints = extension("2.5.29.19", true, element(0x30, ""));

/** CA:TRUE, of any depth. */
export const rootBasicConstraints = extension("2.5.29.19", true, element(0x30, TRUE));

/** CA:TRUE, and leaves alone below it. */
export const issuingBasicConstraints = extension("2.5.29.19", true, element(0x30, TRUE + element(0x02, "\x00")));
