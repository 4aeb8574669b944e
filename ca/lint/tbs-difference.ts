import { sameBytes } from "#ca/x509/bytes";
import type { CertificateBody, WrittenExtension, WrittenTime } from "#ca/x509/contract";
import {
  childrenOf,
  contentOf,
  type DerElement,
  dottedOid,
  elementBytes,
  latin1Text,
  wholeElement,
} from "./der-element.ts";

/**
 * Where the members of a body are not what its bytes say to a second reader, or the bytes say more (RFC 5280 §4.1). Undefined: they are the same, down to
 * the last byte.
 */
export function tbsDifference(body: CertificateBody): string | undefined {
  const tbs = wholeElement(body.tbsDer);
  const members = tbs?.tag === 0x30 ? childrenOf(tbs) : undefined;
  if (members === undefined) return "expected a SEQUENCE, found none";
  const tags = members.map(({ tag }) => tag.toString(16).padStart(2, "0")).join(" ");
  if (tags !== memberTags) return `expected members with the tags ${memberTags}, found ${tags}`;
  const [version, serial, algorithm, issuer, validity, subject, spki, extensions] = members as Members;
  const checks: readonly (readonly [string, boolean])[] = [
    ["version", saysVersion(version, body.version)],
    ["serial number", sameBytes(contentOf(serial), body.serial)],
    ["signature algorithm", sameBytes(elementBytes(algorithm), body.signatureAlgorithmDer)],
    ["issuer", sameBytes(elementBytes(issuer), body.issuerDer)],
    ["validity", saysTimes(validity, [body.notBefore, body.notAfter])],
    ["subject", sameBytes(elementBytes(subject), body.subjectDer)],
    ["public key", sameBytes(elementBytes(spki), body.spkiDer)],
    ["extensions", saysExtensions(extensions, body.extensions)],
  ];
  const different = checks.find(([, same]) => !same);
  return different === undefined ? undefined : `expected the ${different[0]} as it was read, found another`;
}

/** Version, serial number, algorithm, issuer, validity, subject, key, extensions: those that every certificate of ours has. */
const memberTags = "a0 02 30 30 30 30 30 a3";

type Members = [DerElement, DerElement, DerElement, DerElement, DerElement, DerElement, DerElement, DerElement];

function saysVersion(element: DerElement, version: number): boolean {
  const content = contentOf(element);
  return content.length === 3 && content[0] === 0x02 && content[1] === 1 && content[2] === version - 1;
}

function saysTimes(element: DerElement, times: readonly WrittenTime[]): boolean {
  const written = childrenOf(element) ?? [];
  if (written.length !== times.length) return false;
  return times.every(({ form, text }, i) => {
    const time = written[i]!;
    return time.tag === (form === "UTCTime" ? 0x17 : 0x18) && latin1Text(contentOf(time)) === text;
  });
}

function saysExtensions(element: DerElement, extensions: readonly WrittenExtension[]): boolean {
  const [sequence, ...more] = childrenOf(element) ?? [];
  const written = sequence?.tag === 0x30 && more.length === 0 ? childrenOf(sequence) : undefined;
  return written?.length === extensions.length && extensions.every((each, i) => saysExtension(written[i]!, each));
}

function saysExtension(element: DerElement, extension: WrittenExtension): boolean {
  const parts = (element.tag === 0x30 ? childrenOf(element) : undefined) ?? [];
  const [type, value] = [parts[0], parts.at(-1)];
  if (type?.tag !== 0x06 || value?.tag !== 0x04 || parts.length > 3) return false;
  const flag = parts.length === 3 ? parts[1]! : undefined;
  if (flag !== undefined && flag.tag !== 0x01) return false;
  const critical = flag !== undefined && contentOf(flag)[0] === 0xff;
  return (
    dottedOid(contentOf(type)) === extension.oid &&
    critical === extension.critical &&
    (flag !== undefined && !critical) === extension.defaultWritten &&
    sameBytes(contentOf(value), extension.value)
  );
}
