import { decodeBase64Url } from "../encoding/base64url.ts";
import { type DerElement, readDer } from "./der.ts";
import { bitLength, toMagnitude } from "./magnitude.ts";
import { modulusFault } from "./rsa-modulus.ts";

const tags = {
  integer: 0x02,
  bitString: 0x03,
  null: 0x05,
  objectIdentifier: 0x06,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  version: 0xa0,
  issuerId: 0x81,
  subjectId: 0x82,
  extensions: 0xa3,
} as const;

/** rsaEncryption, 1.2.840.113549.1.1.1 (RFC 8017 §A.1). */
const rsaEncryption = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];

/** Largest public exponent of Envoy's cryptographic library, in bits. */
const mostExponentBits = 33;

/** The numbers of an RSA key, big-endian and without leading zeros. */
export interface RsaNumbers {
  readonly n: Uint8Array;
  readonly e: Uint8Array;
}

/**
 * The RSA key of an X.509 certificate (RFC 5280 §4.1) given in base64 with line ends, or what stands in its place, in words. The
 * certificate must be DER throughout; who signed it, when it is valid, what it is for, and what comes behind it is not asked, as Envoy does
 * not ask. Total. Cost: linear.
 */
export function rsaKeyOfCertificate(base64: string): RsaNumbers | string {
  const bytes = decodeBase64(base64);
  const certificate = bytes === undefined ? undefined : readDer(bytes)?.element;
  const info = certificate === undefined ? undefined : publicKeyInfo(certificate);
  if (info === undefined) return "a certificate that cannot be read";
  const [algorithm, key] = info.parts;
  const [identifier, parameters, more] = algorithm?.parts ?? [];
  if (info.parts.length !== 2 || algorithm?.tag !== tags.sequence || key?.tag !== tags.bitString) {
    return "a certificate that cannot be read";
  }
  const isRsa = identifier?.tag === tags.objectIdentifier && rsaEncryption.join() === [...identifier.content].join();
  if (!isRsa) return "a certificate without an RSA key";
  if (parameters?.tag !== tags.null || parameters.content.length > 0 || more !== undefined) {
    return "a certificate that cannot be read";
  }
  return rsaNumbers(key.content);
}

/** Standard base64 (RFC 4648 §4), as PEM has it. */
function decodeBase64(text: string): Uint8Array | undefined {
  if (!/^[A-Za-z0-9+/\r\n]+={0,2}[\r\n]*$/.test(text)) return undefined;
  const dense = text.replace(/[\r\n]/g, "");
  return dense.length % 4 === 0 ? decodeBase64Url(dense.replaceAll("+", "-").replaceAll("/", "_")) : undefined;
}

/** The subjectPublicKeyInfo of a certificate whose other parts are there, in order. */
function publicKeyInfo(certificate: DerElement): DerElement | undefined {
  if (certificate.tag !== tags.sequence || certificate.parts.length !== 3) return undefined;
  const [body, algorithm, signature] = certificate.parts;
  if (body?.tag !== tags.sequence || !isAlgorithm(algorithm) || !isBits(signature)) return undefined;
  const parts = [...body.parts];
  const version = parts[0]?.tag === tags.version ? versionOf(parts.shift()!) : 1;
  const [serial, signed, issuer, validity, subject, info, ...rest] = parts;
  const times = validity?.parts.map(({ tag }) => tag === tags.utcTime || tag === tags.generalizedTime);
  const fits =
    version !== undefined &&
    serial?.tag === tags.integer &&
    serial.content.length > 0 &&
    isAlgorithm(signed) &&
    issuer?.tag === tags.sequence &&
    validity?.tag === tags.sequence &&
    times?.join() === "true,true" &&
    subject?.tag === tags.sequence &&
    areTrailing(rest, version);
  return fits && info?.tag === tags.sequence ? info : undefined;
}

/** 1 to 3; DER does not write version 1, and BoringSSL reads it all the same. */
function versionOf({ parts: [number, more] }: DerElement): number | undefined {
  if (number?.tag !== tags.integer || number.content.length !== 1 || more !== undefined) return undefined;
  const value = number.content[0]!;
  return value <= 2 ? value + 1 : undefined;
}

/** Identifiers of issuer and subject from version 2 on, extensions from version 3 on, in this order. */
function areTrailing(rest: readonly DerElement[], version: number): boolean {
  const order = rest.map(({ tag }) => tag);
  if (order.some((tag, i) => i > 0 && tag <= order[i - 1]!)) return false;
  return rest.every(({ tag, parts }) => {
    if (tag === tags.issuerId || tag === tags.subjectId) return version >= 2;
    return tag === tags.extensions && version === 3 && parts.length === 1 && areExtensions(parts[0]!);
  });
}

function areExtensions({ tag, parts }: DerElement): boolean {
  if (tag !== tags.sequence || parts.length === 0) return false;
  return parts.every((extension) => {
    const [identifier, ...rest] = extension.parts;
    const value = rest.at(-1);
    const critical = rest.length === 2 ? rest[0] : undefined;
    return (
      extension.tag === tags.sequence &&
      identifier?.tag === tags.objectIdentifier &&
      value?.tag === 0x04 &&
      (rest.length === 1 || (critical?.tag === 0x01 && critical.content.length === 1))
    );
  });
}

function isAlgorithm(element: DerElement | undefined): boolean {
  return element?.tag === tags.sequence && element.parts[0]?.tag === tags.objectIdentifier && element.parts.length <= 2;
}

function isBits(element: DerElement | undefined): boolean {
  return element?.tag === tags.bitString && element.content.length > 0;
}

/** An RSAPublicKey (RFC 8017 §A.1.1) in a bit string without unused bits. */
function rsaNumbers(bits: Uint8Array): RsaNumbers | string {
  const key = bits[0] === 0 ? readDer(bits.subarray(1)) : undefined;
  if (key?.sizeBytes !== bits.length - 1) return "a certificate that cannot be read";
  const { tag, parts } = key.element;
  if (tag !== tags.sequence || parts.length !== 2) return "a certificate that cannot be read";
  const [n, e] = parts.map((part) => positive(part));
  if (n === undefined || e === undefined) return "a certificate that cannot be read";
  const fault = modulusFault(n);
  if (fault !== undefined) return fault;
  const odd = e.at(-1)! % 2 === 1;
  return odd && bitLength(e) >= 2 && bitLength(e) <= mostExponentBits ? { n, e } : "an RSA exponent that is not taken";
}

/** A positive integer in its shortest form, without the zero that keeps it positive. */
function positive({ tag, content }: DerElement): Uint8Array | undefined {
  const number = toMagnitude(content);
  const zeros = content.length - number.length;
  const needed = number.length > 0 && number[0]! >= 0x80 ? 1 : 0;
  return tag === tags.integer && number.length > 0 && zeros === needed ? number : undefined;
}
