import { fitsKeyKind, type SignatureAlgorithm, signatureAlgorithmFrom } from "#ca/x509/algorithms";
import type { DerFault } from "#ca/x509/contract";
import { contentOf, type DerNode, oidOf, readDer, wholeOf } from "#ca/x509/der";
import { readPem } from "#ca/x509/pem";
import { SubjectPublicKey } from "#ca/x509/subject-public-key";
import type { CsrFault, CsrNames, CsrRefusal } from "./contract.ts";
import { readCsrNames } from "./csr-names.ts";
import { csrLimits } from "./limits.ts";

const labels = ["CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST"];
const SEQUENCE = 0x30;
const INTEGER = 0x02;
const BIT_STRING = 0x03;
const ATTRIBUTES = 0xa0;

/** A request of which every byte was looked at; that its private key is held is not proven yet, and how good the key is not known. Made by `parseCsr` alone. */
export class ParsedCsr {
  /** Only `parseCsr` makes one: an object that merely looks like it is none. */
  readonly #parsed = true;
  readonly der: Uint8Array;
  /** CertificationRequestInfo: what is signed, as it came. */
  readonly signedDer: Uint8Array;
  readonly publicKey: SubjectPublicKey;
  readonly algorithm: SignatureAlgorithm;
  readonly signature: Uint8Array;
  readonly names: CsrNames;

  private constructor(parts: ParsedParts) {
    this.der = parts.der;
    this.signedDer = parts.signedDer;
    this.publicKey = parts.publicKey;
    this.algorithm = parts.algorithm;
    this.signature = parts.signature;
    this.names = parts.names;
  }

  static is(value: object): value is ParsedCsr {
    return #parsed in value && value.#parsed;
  }

  /** See `parseCsr`. */
  static parse(pem: string): ParsedCsrResult {
    if (pem.length > csrLimits.pemCharacters)
      return failed("csr/too-large", `expected at most ${csrLimits.pemCharacters} characters, found ${pem.length}`);
    const block = readPem(pem, labels);
    if (!block.ok) return broken("csr/pem", block.fault);
    const der = block.value;
    if (der.length > csrLimits.derBytes)
      return failed("csr/too-large", `expected at most ${csrLimits.derBytes} bytes of DER, found ${der.length}`);
    const read = readDer(der, { sizeBytes: csrLimits.derBytes, depth: csrLimits.depth });
    return read.ok ? ParsedCsr.#shape(der, read.value) : broken("csr/der", read.fault);
  }

  /** RFC 2986 §4. */
  static #shape(der: Uint8Array, root: DerNode): ParsedCsrResult {
    const [signed, algorithmNode, signatureNode] = root.parts;
    if (root.tag !== SEQUENCE || root.parts.length !== 3 || signed?.tag !== SEQUENCE || signed.parts.length !== 4)
      return failed(
        "csr/shape",
        "expected a request of PKCS #10: version, subject, key, attributes; algorithm; signature",
      );
    const [version, subject, spki, attributes] = signed.parts as [DerNode, DerNode, DerNode, DerNode];
    if (!isVersion0(version)) return failed("csr/shape", "expected version 0");
    if (spki.tag !== SEQUENCE) return failed("csr/shape", "expected a SubjectPublicKeyInfo");
    if (attributes.tag !== ATTRIBUTES) return failed("csr/shape", "expected attributes, even if there are none");
    if (algorithmNode?.tag !== SEQUENCE) return failed("csr/shape", "expected the algorithm of the signature");
    const signature = signatureNode?.tag === BIT_STRING ? contentOf(signatureNode) : undefined;
    if (signature === undefined || signature[0] !== 0)
      return failed("csr/shape", "expected a signature, a BIT STRING without unused bits");
    const names = readCsrNames(subject, attributes);
    if (!names.ok) return broken("csr/shape", names.fault);

    const publicKey = SubjectPublicKey.of(wholeOf(spki));
    if (publicKey === undefined)
      return failed("key/kind", `expected one of the five kinds of keys, found ${seenKey(spki)}`);
    const algorithm = signatureAlgorithmFrom(wholeOf(algorithmNode));
    if (algorithm === undefined || !fitsKeyKind(algorithm, publicKey.kind))
      return failed(
        "csr/signature-algorithm",
        `expected an algorithm that fits a ${publicKey.kind} key, found ${seenAlgorithm(algorithmNode)}`,
      );
    return {
      ok: true,
      csr: new ParsedCsr({
        der,
        signedDer: wholeOf(signed),
        publicKey,
        algorithm,
        signature: signature.subarray(1),
        names: names.value,
      }),
    };
  }
}

interface ParsedParts {
  readonly der: Uint8Array;
  readonly signedDer: Uint8Array;
  readonly publicKey: SubjectPublicKey;
  readonly algorithm: SignatureAlgorithm;
  readonly signature: Uint8Array;
  readonly names: CsrNames;
}

export type ParsedCsrResult =
  | { readonly ok: true; readonly csr: ParsedCsr }
  | { readonly ok: false; readonly fault: CsrFault };

/**
 * Reads a certificate request (RFC 2986): one block of PEM of at most 16 KiB, strict DER of at most 8 KiB, version 0, the names, a key in one of the five byte
 * shapes, and an algorithm that such a key signs with; in this order, and the first fault ends it. No key is imported. Never throws. About 10 µs.
 */
export function parseCsr(pem: string): ParsedCsrResult {
  return ParsedCsr.parse(pem);
}

function failed(code: CsrRefusal, message: string): ParsedCsrResult {
  return { ok: false, fault: { code, message } };
}

function broken(code: CsrRefusal, { message, offset }: DerFault): ParsedCsrResult {
  return failed(code, offset === undefined ? message : `${message} (at byte ${offset})`);
}

function isVersion0(node: DerNode): boolean {
  return node.tag === INTEGER && node.end - node.contentStart === 1 && node.bytes[node.contentStart] === 0;
}

function seenKey(spki: DerNode): string {
  return `${spki.end - spki.start} bytes of a key of ${seenAlgorithm(spki.parts[0])}`;
}

/** What an AlgorithmIdentifier names, dotted, and whether parameters stand behind it. */
function seenAlgorithm(node: DerNode | undefined): string {
  const type = node?.parts[0];
  const oid = type === undefined ? undefined : oidOf(type);
  if (node === undefined || oid === undefined) return "no algorithm";
  return node.parts.length > 1 ? `${oid} with parameters` : oid;
}
