import { createHash } from "node:crypto";
import type { LintContext } from "#ca/lint/contract";
import type { CertificateBody, KeyKind } from "#ca/x509/contract";
import { readCertificateBody } from "#ca/x509/read-certificate";
import * as d from "./der-builder.ts";

type Profile = LintContext["profile"];

/** What a certificate's body is made of, each a whole element: tests replace one and leave the rest. */
export interface CertificateParts {
  readonly version: Uint8Array;
  readonly serial: Uint8Array;
  readonly algorithm: Uint8Array;
  readonly issuer: Uint8Array;
  readonly notBefore: Uint8Array;
  readonly notAfter: Uint8Array;
  readonly subject: Uint8Array;
  readonly spki: Uint8Array;
  readonly keyUsage: readonly Uint8Array[];
  readonly extendedKeyUsage: readonly Uint8Array[];
  readonly basicConstraints: readonly Uint8Array[];
  readonly subjectKeyId: readonly Uint8Array[];
  readonly authorityKeyId: readonly Uint8Array[];
  readonly subjectAltName: readonly Uint8Array[];
  readonly moreExtensions: readonly Uint8Array[];
}

export function encodeTbs(parts: CertificateParts): Uint8Array {
  const { version, serial, algorithm, issuer, notBefore, notAfter, subject, spki } = parts;
  const extensions = [
    ...parts.keyUsage,
    ...parts.extendedKeyUsage,
    ...parts.basicConstraints,
    ...parts.subjectKeyId,
    ...parts.authorityKeyId,
    ...parts.subjectAltName,
    ...parts.moreExtensions,
  ];
  const validity = d.sequence(notBefore, notAfter);
  const list = extensions.length === 0 ? [] : [d.der(0xa3, d.sequence(...extensions))];
  return d.sequence(version, serial, algorithm, issuer, validity, subject, spki, ...list);
}

/** The body that the parts make. Throws when the reader refuses them. */
export function bodyOf(parts: CertificateParts): CertificateBody {
  const read = readCertificateBody(encodeTbs(parts));
  if (!read.ok) throw new Error(`the body cannot be read: ${read.fault.message} at ${read.fault.offset}`);
  return read.value;
}

export const algorithms = {
  ecdsaSha256: d.fromHex("300a06082a8648ce3d040302"),
  ecdsaSha384: d.fromHex("300a06082a8648ce3d040303"),
  rsaSha256: d.fromHex("300d06092a864886f70d01010b0500"),
} as const;

export function algorithmOf(kind: KeyKind): Uint8Array {
  if (kind.startsWith("RSA")) return algorithms.rsaSha256;
  return kind === "P-256" ? algorithms.ecdsaSha256 : algorithms.ecdsaSha384;
}

/** A key of the kind's shape, the same for the same name; nobody holds its private half, and its point is on no curve. */
export function fabricatedSpki(kind: KeyKind, name: string): Uint8Array {
  const sizeBytes = { "P-256": 64, "P-384": 96, "RSA-2048": 256, "RSA-3072": 384, "RSA-4096": 512 }[kind];
  const material = createHash("shake256", { outputLength: sizeBytes }).update(`${kind} ${name}`).digest();
  if (kind.startsWith("P-")) {
    const curve = d.oid(kind === "P-256" ? "1.2.840.10045.3.1.7" : "1.3.132.0.34");
    return d.sequence(d.sequence(d.oid("1.2.840.10045.2.1"), curve), d.bits(d.joined(d.bytes(0x04), material)));
  }
  material[0]! |= 0x80;
  material[sizeBytes - 1]! |= 1;
  const key = d.sequence(d.integer(d.joined(d.bytes(0), material)), d.integer(65537));
  return d.sequence(d.sequence(d.oid("1.2.840.113549.1.1.1"), d.nothing()), d.bits(key));
}

/** Key id of our shapes of keys: RFC 7093 §2 method 1. */
export function keyIdOf(spki: Uint8Array): Uint8Array {
  const start = spki.length < 100 ? 26 : spki.length < 200 ? 23 : 24;
  return new Uint8Array(createHash("sha256").update(spki.subarray(start)).digest().subarray(0, 20));
}

export const oids = {
  subjectKeyId: "2.5.29.14",
  keyUsage: "2.5.29.15",
  subjectAltName: "2.5.29.17",
  basicConstraints: "2.5.29.19",
  nameConstraints: "2.5.29.30",
  authorityKeyId: "2.5.29.35",
  extendedKeyUsage: "2.5.29.37",
} as const;

export const serverAuth = d.oid("1.3.6.1.5.5.7.3.1");
export const clientAuth = d.oid("1.3.6.1.5.5.7.3.2");
export const uriName = (text: string) => d.der(0x86, Buffer.from(text, "latin1"));
export const dnsName = (text: string) => d.der(0x82, Buffer.from(text, "latin1"));
export const ipName = (...octets: readonly number[]) => d.der(0x87, d.bytes(...octets));

/** One extension each; `critical` as the profiles have it. */
export const extensions = {
  keyUsage: (content: Uint8Array, critical: boolean | undefined = true) =>
    d.extension(oids.keyUsage, critical, content),
  /** The bits of an authority. */
  authorityUsage: () => d.extension(oids.keyUsage, true, d.bits(d.bytes(0x06), 1)),
  basicConstraints: (content: readonly Uint8Array[], critical: boolean | undefined = true) =>
    d.extension(oids.basicConstraints, critical, d.sequence(...content)),
  extendedKeyUsage: (purposes: readonly Uint8Array[], critical: boolean | undefined = undefined) =>
    d.extension(oids.extendedKeyUsage, critical, d.sequence(...purposes)),
  subjectKeyId: (keyId: Uint8Array, critical: boolean | undefined = undefined) =>
    d.extension(oids.subjectKeyId, critical, d.octets(keyId)),
  authorityKeyId: (keyId: Uint8Array, critical: boolean | undefined = undefined) =>
    d.extension(oids.authorityKeyId, critical, d.sequence(d.der(0x80, keyId))),
  subjectAltName: (names: readonly Uint8Array[], critical: boolean | undefined) =>
    d.extension(oids.subjectAltName, critical, d.sequence(...names)),
};

const hour = 3_600_000;
const instant = Date.UTC(2026, 10, 1, 12, 0, 0);
const lifetimes: Readonly<Record<Profile, readonly [number, number]>> = {
  root: [instant - 30 * 24 * hour, Date.UTC(2056, 0, 1)],
  issuing: [instant - 24 * hour, instant + 60 * 24 * hour],
  leaf: [instant, instant + hour],
};
const trustDomain = "mesh.example";

export interface ValidParts {
  readonly parts: CertificateParts;
  readonly context: LintContext;
}

/** A certificate that is right in everything, and what it was meant to be. An issuing authority is signed by a root, a leaf by an issuing authority. */
export function validParts(
  profile: Profile,
  subjectKind: KeyKind = "P-256",
  signerKind: KeyKind = "P-256",
): ValidParts {
  const issuerProfile = profile === "leaf" ? "issuing" : "root";
  const issuer = profile === "root" ? undefined : validParts(issuerProfile, signerKind, signerKind);
  const spki = fabricatedSpki(subjectKind, profile);
  const name = `${profile} ${profile === "root" ? subjectKind : signerKind}`;
  const subject =
    profile === "leaf"
      ? d.sequence()
      : d.distinguishedName([d.organization, d.utf8(trustDomain)], [d.commonName, d.utf8(name)]);
  const uri = profile === "leaf" ? `spiffe://${trustDomain}/ns/shop/sa/cart` : `spiffe://${trustDomain}`;
  const [notBeforeMillis, notAfterMillis] = lifetimes[profile];
  const leafUsage = subjectKind.startsWith("RSA") ? d.bits(d.bytes(0xa0), 5) : d.bits(d.bytes(0x80), 7);
  const parts: CertificateParts = {
    version: d.der(0xa0, d.integer(2)),
    serial: d.integer(d.fromHex("4a0102030405060708090a0b0c0d0e0f")),
    algorithm: algorithmOf(signerKind),
    issuer: issuer?.parts.subject ?? subject,
    notBefore: d.time(notBeforeMillis),
    notAfter: d.time(notAfterMillis),
    subject,
    spki,
    keyUsage: [profile === "leaf" ? extensions.keyUsage(leafUsage) : extensions.authorityUsage()],
    extendedKeyUsage: profile === "leaf" ? [extensions.extendedKeyUsage([serverAuth, clientAuth])] : [],
    basicConstraints: [
      extensions.basicConstraints(
        { leaf: [], issuing: [d.boolean(true), d.integer(0)], root: [d.boolean(true)] }[profile],
      ),
    ],
    subjectKeyId: [extensions.subjectKeyId(keyIdOf(spki))],
    authorityKeyId: issuer === undefined ? [] : [extensions.authorityKeyId(keyIdOf(issuer.parts.spki))],
    subjectAltName: [extensions.subjectAltName([uriName(uri)], profile === "leaf" ? true : undefined)],
    moreExtensions: [],
  };
  const context: LintContext = {
    profile,
    issuer: issuer === undefined ? undefined : { body: bodyOf(issuer.parts), keyKind: signerKind },
    signerKeyKind: signerKind,
    subjectKeyKind: subjectKind,
    grantedSpkiDer: spki,
    grantedId: uri,
    grantedDnsNames: [],
    grantedIpAddresses: [],
    grantedNotBeforeMillis: notBeforeMillis,
    grantedNotAfterMillis: notAfterMillis,
  };
  return { parts, context };
}
