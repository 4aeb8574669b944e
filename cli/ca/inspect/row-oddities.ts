import type { Certificate } from "#ca/x509/contract";
import { extensionOids, readAuthorityKeyId, readSubjectKeyId } from "#ca/x509/read-extensions";

/**
 * What is odd about the order of certificates in a file that begins with a leaf: each should be signed by the next (RFC 8446 §4.4.2), told by names and key
 * ids alone. A file of roots has no order. Indexes count from one.
 */
export function rowOddities(certificates: readonly Certificate[]): readonly string[] {
  const odd: string[] = [];
  const [first] = certificates;
  const isBundle = first === undefined || equal(first.issuerDer, first.subjectDer);
  certificates.forEach((certificate, i) => {
    const same = certificates.findIndex((other) => equal(other.der, certificate.der));
    if (same < i) odd.push(`number ${i + 1} is number ${same + 1} again`);
    const next = certificates[i + 1];
    // Behind the first root others may follow, as in a chain with its bundle.
    if (isBundle || next === undefined || equal(certificate.issuerDer, certificate.subjectDer)) return;
    if (!equal(certificate.issuerDer, next.subjectDer)) {
      odd.push(
        `number ${i + 1} is not signed by number ${i + 2}: its issuer's name has other bytes than the subject there`,
      );
    } else if (!keyIdsFit(certificate, next)) {
      odd.push(`number ${i + 1} is not signed by number ${i + 2}: its authority key id is another`);
    }
  });
  for (const name of repeatedSubjects(certificates)) odd.push(name);
  return odd;
}

function keyIdsFit(certificate: Certificate, issuer: Certificate): boolean {
  const wanted = extensionValue(certificate, extensionOids.authorityKeyId, readAuthorityKeyId);
  const found = extensionValue(issuer, extensionOids.subjectKeyId, readSubjectKeyId);
  return wanted === undefined || found === undefined || equal(wanted, found);
}

function extensionValue(
  { extensions }: Certificate,
  oid: string,
  read: typeof readAuthorityKeyId | typeof readSubjectKeyId,
): Uint8Array | undefined {
  const extension = extensions.find((each) => each.oid === oid);
  const value = extension && read(extension.value);
  return value?.ok === true ? value.value : undefined;
}

/** Authorities with one name and different keys: some libraries try the first of them alone. */
function repeatedSubjects(certificates: readonly Certificate[]): string[] {
  return certificates.flatMap((certificate, i) => {
    if (!equal(certificate.issuerDer, certificate.subjectDer)) return [];
    const twin = certificates.findIndex(
      (other) => equal(other.subjectDer, certificate.subjectDer) && !equal(other.spkiDer, certificate.spkiDer),
    );
    return twin >= 0 && twin < i ? [`numbers ${twin + 1} and ${i + 1} have one name and different keys`] : [];
  });
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}
