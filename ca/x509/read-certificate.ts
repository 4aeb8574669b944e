import type { Certificate, CertificateBody, DerFault, Read, WrittenExtension } from "./contract.ts";
import { contentOf, type DerNode, oidOf, readDer, wholeOf } from "./der.ts";
import { nameFault } from "./name.ts";
import { readTime } from "./time.ts";

/** A certificate of ours has half a kilobyte; imported ones with long policies have a few. */
const limits = { sizeBytes: 64 * 1024, depth: 16 };

/**
 * Reads a whole certificate: strict DER of the shape of RFC 5280 §4.1, nothing behind it. What its parts say is not judged (version, algorithms, times,
 * extensions may be anything that has the right types): that is for lints and validators. Never throws. The bytes must not change afterwards.
 */
export function readCertificate(der: Uint8Array): Read<Certificate> {
  const read = readDer(der, limits);
  if (!read.ok) return read;
  const [tbs, algorithm, signature, ...more] = read.value.parts;
  if (read.value.tag !== SEQUENCE || tbs === undefined || algorithm === undefined || signature === undefined)
    return failed("expected a certificate, a SEQUENCE of three", read.value);
  if (more.length > 0) return failed("expected nothing behind the signature", more[0]!);
  if (!isAlgorithm(algorithm)) return failed("expected the algorithm of the signature", algorithm);
  const signatureBits = wholeBytesOf(signature);
  if (signatureBits === undefined) return failed("expected a signature of whole bytes", signature);
  const body = bodyOf(tbs);
  if (!body.ok) return body;
  return {
    ok: true,
    value: {
      ...body.value,
      der: wholeOf(read.value),
      outerAlgorithmDer: wholeOf(algorithm),
      signature: signatureBits,
    },
  };
}

/** Reads the to-be-signed part alone, as strictly as `readCertificate` does. */
export function readCertificateBody(tbsDer: Uint8Array): Read<CertificateBody> {
  const read = readDer(tbsDer, limits);
  return read.ok ? bodyOf(read.value) : read;
}

const SEQUENCE = 0x30;
const INTEGER = 0x02;
const BIT_STRING = 0x03;
const OCTET_STRING = 0x04;
const BOOLEAN = 0x01;
const VERSION = 0xa0;
const EXTENSIONS = 0xa3;

function bodyOf(tbs: DerNode): Read<CertificateBody> {
  if (tbs.tag !== SEQUENCE) return failed("expected the body of a certificate, a SEQUENCE", tbs);
  const versioned = tbs.parts[0]?.tag === VERSION;
  const version = versioned ? versionOf(tbs.parts[0]!) : 1;
  if (version === undefined) return failed("expected version 2 or 3, or none for 1", tbs.parts[0]!);
  const [serial, algorithm, issuer, validity, subject, spki, ...rest] = versioned ? tbs.parts.slice(1) : tbs.parts;
  if (serial?.tag !== INTEGER) return failed("expected a serial number", serial ?? tbs);
  if (algorithm === undefined || !isAlgorithm(algorithm))
    return failed("expected the algorithm of the signature", algorithm ?? tbs);
  if (issuer === undefined) return failed("expected an issuer", tbs);
  if (validity?.tag !== SEQUENCE || validity.parts.length !== 2)
    return failed("expected a validity of two times", validity ?? tbs);
  if (subject === undefined) return failed("expected a subject", tbs);
  if (spki === undefined || !isSpki(spki)) return failed("expected a SubjectPublicKeyInfo", spki ?? tbs);

  const badName = nameFault(issuer) ?? nameFault(subject);
  if (badName !== undefined) return { ok: false, fault: badName };
  const notBefore = readTime(validity.parts[0]!);
  if (!notBefore.ok) return notBefore;
  const notAfter = readTime(validity.parts[1]!);
  if (!notAfter.ok) return notAfter;
  const [last, ...behind] = rest;
  if (last !== undefined && last.tag !== EXTENSIONS)
    return failed("expected extensions; unique identifiers are not taken", last);
  if (behind.length > 0) return failed("expected nothing behind the extensions", behind[0]!);
  const extensions = last === undefined ? { ok: true as const, value: [] } : extensionsOf(last);
  if (!extensions.ok) return extensions;

  return {
    ok: true,
    value: {
      tbsDer: wholeOf(tbs),
      version,
      serial: contentOf(serial),
      signatureAlgorithmDer: wholeOf(algorithm),
      issuerDer: wholeOf(issuer),
      notBefore: notBefore.value,
      notAfter: notAfter.value,
      subjectDer: wholeOf(subject),
      spkiDer: wholeOf(spki),
      extensions: extensions.value,
    },
  };
}

function failed(message: string, node: DerNode): { readonly ok: false; readonly fault: DerFault } {
  return { ok: false, fault: { message, offset: node.start } };
}

/** Version 1 is the default and must not be written (X.690 §11.5). */
function versionOf(wrapper: DerNode): number | undefined {
  const [version] = wrapper.parts;
  if (wrapper.parts.length !== 1 || version?.tag !== INTEGER || version.end - version.contentStart !== 1)
    return undefined;
  const written = version.bytes[version.contentStart];
  return written === 1 || written === 2 ? written + 1 : undefined;
}

function isAlgorithm(node: DerNode): boolean {
  return node.tag === SEQUENCE && node.parts.length <= 2 && node.parts[0]?.tag === 0x06;
}

function isSpki(node: DerNode): boolean {
  const [algorithm, key] = node.parts;
  return (
    node.tag === SEQUENCE &&
    node.parts.length === 2 &&
    algorithm !== undefined &&
    isAlgorithm(algorithm) &&
    key?.tag === BIT_STRING
  );
}

/** The content of a BIT STRING that has no unused bits. */
function wholeBytesOf(node: DerNode): Uint8Array | undefined {
  return node.tag === BIT_STRING && node.bytes[node.contentStart] === 0
    ? node.bytes.subarray(node.contentStart + 1, node.end)
    : undefined;
}

function extensionsOf(wrapper: DerNode): Read<readonly WrittenExtension[]> {
  const [list] = wrapper.parts;
  if (wrapper.parts.length !== 1 || list === undefined) return failed("expected one list of extensions", wrapper);
  return readExtensionList(list);
}

/** Reads the `Extensions` of RFC 5280 §4.1: at least one, each with its type; the same one twice is not refused here. */
export function readExtensionList(list: DerNode): Read<readonly WrittenExtension[]> {
  if (list.tag !== SEQUENCE || list.parts.length === 0) return failed("expected a list of extensions", list);
  const extensions: WrittenExtension[] = [];
  for (const node of list.parts) {
    const [type, second, third] = node.parts;
    const oid = type === undefined ? undefined : oidOf(type);
    const critical = second?.tag === BOOLEAN ? second : undefined;
    const value = critical === undefined ? second : third;
    if (node.tag !== SEQUENCE || oid === undefined || value?.tag !== OCTET_STRING)
      return failed("expected an extension: type, criticality, OCTET STRING", node);
    if (node.parts.length !== (critical === undefined ? 2 : 3))
      return failed("expected nothing behind the value of an extension", node);
    const isCritical = critical !== undefined && critical.bytes[critical.contentStart] === 0xff;
    extensions.push({
      oid,
      critical: isCritical,
      defaultWritten: critical !== undefined && !isCritical,
      value: contentOf(value),
    });
  }
  return { ok: true, value: extensions };
}
