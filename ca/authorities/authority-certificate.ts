import type { KeyObject } from "node:crypto";
import { fitsKeyKind, type SignatureAlgorithm, signatureAlgorithmFrom } from "#ca/x509/algorithms";
import { sameBytes } from "#ca/x509/bytes";
import type { Certificate, IssuerNames } from "#ca/x509/contract";
import { importPublicKey, verifySignature } from "#ca/x509/import-key";
import { renderName } from "#ca/x509/name";
import { readCertificate } from "#ca/x509/read-certificate";
import {
  extensionOids,
  readAuthorityKeyId,
  readBasicConstraints,
  readExtendedKeyUsage,
  readKeyUsage,
  readSubjectKeyId,
} from "#ca/x509/read-extensions";
import { SubjectPublicKey } from "#ca/x509/subject-public-key";

/** A certificate that may sign others, with what that needs. Not verified: its own signature, and its times. */
export interface AuthorityCertificate {
  readonly certificate: Certificate;
  readonly publicKey: SubjectPublicKey;
  readonly verifyKey: KeyObject;
  /** Subject key id, hex. */
  readonly keyId: string;
  /** How many authorities may stand below it; undefined: not limited. */
  readonly pathLength: number | undefined;
  readonly authorityKeyId: Uint8Array | undefined;
  /** What it is signed with itself. */
  readonly algorithm: SignatureAlgorithm;
  /** What certificates below copy. */
  readonly names: IssuerNames;
  /** For people. */
  readonly subject: string;
}

export type ReadAuthorityCertificate =
  | { readonly ok: true; readonly authority: AuthorityCertificate }
  | {
      readonly ok: false;
      /** `key`: its kind of key is not taken. `authority`: it may not sign leaves that relying parties take. */
      readonly kind: "der" | "key" | "authority";
      /** What is wrong with it, to be put behind its name. */
      readonly message: string;
    };

/** As `readAuthorityCertificate`, from DER. */
export function readAuthorityDer(der: Uint8Array): ReadAuthorityCertificate {
  const read = readCertificate(der);
  return read.ok
    ? readAuthorityCertificate(read.value)
    : { ok: false, kind: "der", message: `is no certificate: ${read.fault.message}` };
}

/**
 * Looks at a certificate as relying parties look at an issuer (RFC 5280 §4.2.1, §6.1.4; X509-SVID §4): a key of a kind that is taken, CA, keyCertSign, a
 * subject, a subject key id, purposes that do not shut out what leaves need, a signature algorithm of ours, and nothing critical that is not understood.
 */
export function readAuthorityCertificate(certificate: Certificate): ReadAuthorityCertificate {
  const publicKey = SubjectPublicKey.of(certificate.spkiDer);
  const verifyKey = publicKey === undefined ? undefined : importPublicKey(publicKey);
  if (publicKey === undefined || verifyKey === undefined)
    return {
      ok: false,
      kind: "key",
      message:
        "has a key that is not taken: expected P-256, P-384, or RSA with 2048, 3072 or 4096 bits and the exponent 65537",
    };
  const algorithm = signatureAlgorithmFrom(certificate.outerAlgorithmDer);
  if (algorithm === undefined || !sameBytes(certificate.outerAlgorithmDer, certificate.signatureAlgorithmDer))
    return refused(
      "is signed with an algorithm that is not taken: expected ECDSA or RSA with SHA-256, SHA-384 or SHA-512",
    );
  const fault = versionFault(certificate) ?? constraintFault(certificate);
  if (fault !== undefined) return refused(fault);
  const constraints = readBasicConstraints(extensionValue(certificate, extensionOids.basicConstraints));
  if (!constraints.ok || !constraints.value.ca) return refused("is no authority: its basic constraints lack `CA:TRUE`");
  const usage = readKeyUsage(extensionValue(certificate, extensionOids.keyUsage));
  if (!usage.ok || !usage.value.names.includes("keyCertSign"))
    return refused("may not sign certificates: its key usage lacks `keyCertSign`");
  const subjectKeyId = readSubjectKeyId(extensionValue(certificate, extensionOids.subjectKeyId));
  if (!subjectKeyId.ok) return refused("has no subject key id: make it with `subjectKeyIdentifier=hash`");
  const authorityKeyId = readAuthorityKeyId(extensionValue(certificate, extensionOids.authorityKeyId));
  return {
    ok: true,
    authority: {
      certificate,
      publicKey,
      verifyKey,
      keyId: hexOf(subjectKeyId.value),
      pathLength: constraints.value.pathLength,
      authorityKeyId: authorityKeyId.ok ? authorityKeyId.value : undefined,
      algorithm,
      names: { subjectDer: certificate.subjectDer, subjectKeyId: subjectKeyId.value, keyKind: publicKey.kind },
      subject: renderName(certificate.subjectDer),
    },
  };
}

/** Did the one sign the other? Names, key ids and the signature are compared; times and path lengths are not. */
export function issued(parent: AuthorityCertificate, child: AuthorityCertificate): boolean {
  if (!sameBytes(parent.certificate.subjectDer, child.certificate.issuerDer)) return false;
  if (child.authorityKeyId !== undefined && !sameBytes(child.authorityKeyId, parent.names.subjectKeyId)) return false;
  if (!fitsKeyKind(child.algorithm, parent.publicKey.kind)) return false;
  return verifySignature(child.algorithm, parent.verifyKey, child.certificate.tbsDer, child.certificate.signature);
}

/** Is it its own issuer by name? */
export function isSelfIssued(certificate: Certificate): boolean {
  return sameBytes(certificate.subjectDer, certificate.issuerDer);
}

export function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}

const nameConstraintsOid = "2.5.29.30";
const anyPurpose = "2.5.29.37.0";
const leafPurposes = ["1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2"];
const emptyName = Uint8Array.of(0x30, 0x00);

function versionFault(certificate: Certificate): string | undefined {
  if (certificate.version !== 3) return `has version ${certificate.version}: expected 3`;
  if (sameBytes(certificate.subjectDer, emptyName)) return "has no subject";
  const oids = certificate.extensions.map(({ oid }) => oid);
  const twice = oids.find((oid, i) => oids.indexOf(oid) !== i);
  return twice === undefined ? undefined : `has the extension ${twice} twice`;
}

/** Relying parties would judge leaves by these in ways that cannot be foreseen here. */
function constraintFault(certificate: Certificate): string | undefined {
  const known: readonly string[] = Object.values(extensionOids);
  const constrained = certificate.extensions.find(({ oid }) => oid === nameConstraintsOid);
  if (constrained !== undefined) return "has name constraints, which are not supported";
  const strange = certificate.extensions.find(({ oid, critical }) => critical && !known.includes(oid));
  if (strange !== undefined) return `has the critical extension ${strange.oid}, which is not understood`;
  const purposes = certificate.extensions.find(({ oid }) => oid === extensionOids.extendedKeyUsage);
  if (purposes === undefined) return undefined;
  const read = readExtendedKeyUsage(purposes.value);
  if (!read.ok) return `has an extended key usage that cannot be read: ${read.fault.message}`;
  if (read.value.includes(anyPurpose) || leafPurposes.every((purpose) => read.value.includes(purpose)))
    return undefined;
  return "is limited to other purposes than `serverAuth` and `clientAuth` by its extended key usage";
}

/** Empty for an extension that is not there: no reader takes that. */
function extensionValue(certificate: Certificate, wanted: string): Uint8Array {
  return certificate.extensions.find(({ oid }) => oid === wanted)?.value ?? new Uint8Array();
}

function refused(message: string): ReadAuthorityCertificate {
  return { ok: false, kind: "authority", message };
}
