import { generateKeyPairSync, type KeyObject, randomBytes } from "node:crypto";
import type { Certificate, CertificateTemplate, IssuerNames, KeyKind } from "#ca/x509/contract";
import { signTbs } from "#ca/x509/import-key";
import { readCertificate } from "#ca/x509/read-certificate";
import { assembleCertificate, buildTbs, drawSerial, subjectKeyId } from "#ca/x509/write-certificate";

/** An authority for tests: made by the product's writer, without its lints, store or key encryption. */
export interface TestAuthority {
  readonly certificate: Certificate;
  readonly privateKey: KeyObject;
  readonly keyKind: KeyKind;
  readonly names: IssuerNames;
}

const HOUR = 3_600_000;
type AuthorityTemplate = Extract<CertificateTemplate, { profile: "root" | "issuing" }>;
type LeafTemplate = Extract<CertificateTemplate, { profile: "leaf" }>;

const pairs = new Map<string, { readonly privateKey: KeyObject; readonly spkiDer: Uint8Array }>();

/** A key pair of this kind; `which` tells several apart. The same one for the whole run, for RSA keys are slow to make. */
export function keyPair(kind: KeyKind, which = "") {
  const known = pairs.get(kind + which);
  if (known !== undefined) return known;
  const pair = kind.startsWith("RSA")
    ? generateKeyPairSync("rsa", { modulusLength: Number(kind.slice(4)) })
    : generateKeyPairSync("ec", { namedCurve: kind });
  const made = {
    privateKey: pair.privateKey,
    spkiDer: new Uint8Array(pair.publicKey.export({ type: "spki", format: "der" })),
  };
  pairs.set(kind + which, made);
  return made;
}

/** A root, or an issuing authority under `issuer`, valid from an hour ago for a day unless changed. */
export function makeAuthority(
  options: { readonly kind: KeyKind; readonly profile: "root" | "issuing"; readonly issuer?: TestAuthority },
  changes: Partial<AuthorityTemplate> = {},
): TestAuthority {
  const { kind, profile, issuer } = options;
  const { privateKey, spkiDer } = keyPair(kind, `${profile} ${issuer?.keyKind}`);
  const template: AuthorityTemplate = {
    profile,
    serial: drawSerial(randomBytes),
    issuer: issuer?.names,
    organization: "cluster.local",
    commonName: `${profile} ${kind}`,
    notBeforeMillis: Date.now() - HOUR,
    notAfterMillis: Date.now() + 24 * HOUR,
    subjectPublicKeyDer: spkiDer,
    uri: "spiffe://cluster.local",
    ...changes,
  };
  const certificate = signed(template, issuer?.keyKind ?? kind, issuer?.privateKey ?? privateKey);
  const names = { subjectDer: certificate.subjectDer, subjectKeyId: subjectKeyId(spkiDer), keyKind: kind };
  return { certificate, privateKey, keyKind: kind, names };
}

/** A leaf under `issuer`, valid from two minutes ago for an hour unless changed. */
export function makeLeaf(issuer: TestAuthority, changes: Partial<LeafTemplate> = {}): Certificate {
  return signed(leafTemplate(issuer, changes), issuer.keyKind, issuer.privateKey);
}

export function leafTemplate(issuer: TestAuthority, changes: Partial<LeafTemplate> = {}): LeafTemplate {
  return {
    profile: "leaf",
    serial: drawSerial(randomBytes),
    issuer: issuer.names,
    notBeforeMillis: Date.now() - 120_000,
    notAfterMillis: Date.now() + HOUR,
    subjectPublicKeyDer: keyPair("P-256", "leaf").spkiDer,
    uri: "spiffe://cluster.local/ns/default/sa/httpbin",
    dnsNames: [],
    ipAddresses: [],
    ...changes,
  };
}

function signed(template: CertificateTemplate, signerKeyKind: KeyKind, privateKey: KeyObject): Certificate {
  const tbsDer = buildTbs(template);
  const der = assembleCertificate(tbsDer, signerKeyKind, signTbs(signerKeyKind, privateKey, tbsDer));
  const read = readCertificate(der);
  if (!read.ok) throw new Error(read.fault.message);
  return read.value;
}
