import { createHash } from "node:crypto";
import type { LintContext } from "#ca/lint/contract";
import type { CertificateBody, KeyKind } from "#ca/x509/contract";
import {
  algorithms,
  bodyOf,
  type CertificateParts,
  clientAuth,
  dnsName,
  extensions,
  fabricatedSpki,
  ipName,
  keyIdOf,
  oids,
  serverAuth,
  uriName,
  type ValidParts,
  validParts,
} from "#test/support/ca/certificate-parts";
import * as d from "#test/support/ca/der-builder";

/** A certificate that is right but for one thing. */
export interface LintCase {
  /** Every lint that has to speak, and no other; the first is the one that the case is for. */
  readonly lints: readonly [string, ...string[]];
  readonly broken: string;
  readonly profile: LintContext["profile"];
  /** Of subject and signer; P-256 when left out. */
  readonly keys?: readonly [KeyKind, KeyKind];
  readonly parts?: (valid: ValidParts) => Partial<CertificateParts>;
  readonly context?: (valid: ValidParts) => Partial<LintContext>;
  /** For what the reader would not read: a body that says something else than its bytes. */
  readonly body?: (body: CertificateBody) => Partial<CertificateBody>;
}

const everyProfile = ["leaf", "issuing", "root"] as const;
const authorities = ["issuing", "root"] as const;
const issued = ["leaf", "issuing"] as const;

const id = "spiffe://mesh.example/ns/shop/sa/cart";
const hour = 3_600_000;

/** A name with these attributes, as subject; of a root it is the issuer too. */
function named(profile: LintContext["profile"], ...attributes: readonly (readonly [string, Uint8Array])[]) {
  const subject = d.distinguishedName(...attributes);
  return profile === "root" ? { subject, issuer: subject } : { subject };
}

function leafNames(...names: readonly Uint8Array[]) {
  return { subjectAltName: [extensions.subjectAltName(names, true)] };
}

function authorityNames(...names: readonly Uint8Array[]) {
  return { subjectAltName: [extensions.subjectAltName(names, undefined)] };
}

function usage(octets: readonly number[], unused: number) {
  return { keyUsage: [extensions.keyUsage(d.bits(d.bytes(...octets), unused))] };
}

/** A key of another form than the five, with its own key id and granted as it is. */
function otherKey(spki: Uint8Array, keyBits: Uint8Array): Pick<LintCase, "parts" | "context"> {
  const keyId = createHash("sha256").update(keyBits).digest().subarray(0, 20);
  return {
    parts: () => ({ spki, subjectKeyId: [extensions.subjectKeyId(keyId)] }),
    context: () => ({ grantedSpkiDer: spki }),
  };
}

function issuerWith(change: (parts: CertificateParts) => Partial<CertificateParts>) {
  return ({ context }: ValidParts): Partial<LintContext> => {
    const { parts } = validParts(
      context.profile === "leaf" ? "issuing" : "root",
      context.signerKeyKind,
      context.signerKeyKind,
    );
    return { issuer: { body: bodyOf({ ...parts, ...change(parts) }), keyKind: context.signerKeyKind } };
  };
}

function constrained(...constraints: readonly Uint8Array[]) {
  return issuerWith(() => ({ moreExtensions: [d.extension(oids.nameConstraints, true, d.sequence(...constraints))] }));
}

const permitted = (...bases: readonly Uint8Array[]) => d.der(0xa0, ...bases.map((base) => d.sequence(base)));
const excluded = (...bases: readonly Uint8Array[]) => d.der(0xa1, ...bases.map((base) => d.sequence(base)));

const ecPoint = d.joined(d.bytes(0x02), new Uint8Array(32).fill(7));
const compressed = d.sequence(d.sequence(d.oid("1.2.840.10045.2.1"), d.oid("1.2.840.10045.3.1.7")), d.bits(ecPoint));
const fullPoint = d.joined(d.bytes(0x04), new Uint8Array(64).fill(7));
const rsaKey = d.sequence(d.integer(d.joined(d.bytes(0, 0x81), new Uint8Array(255).fill(1))), d.integer(65537));

export const lintCases: readonly LintCase[] = [
  {
    lints: ["version_is_3"],
    broken: "version 2",
    profile: "leaf",
    parts: () => ({ version: d.der(0xa0, d.integer(1)) }),
  },
  {
    lints: ["members_as_written"],
    broken: "another serial number than in the bytes",
    profile: "leaf",
    body: ({ serial }) => ({ serial: serial.map((octet) => octet ^ 1) }),
  },
  {
    lints: ["members_as_written"],
    broken: "another algorithm than in the bytes, of which no other lint knows",
    profile: "root",
    body: (body) => ({
      tbsDer: bodyOf({ ...validParts("root").parts, algorithm: algorithms.rsaSha256 }).tbsDer,
      version: body.version,
    }),
  },
  {
    lints: ["members_as_written"],
    broken: "an extension of which the reader said nothing",
    profile: "leaf",
    body: () => ({
      tbsDer: bodyOf({ ...validParts("leaf").parts, moreExtensions: [d.extension("1.2.3", false, d.nothing())] })
        .tbsDer,
    }),
  },
  {
    lints: ["members_as_written"],
    broken: "an extension that is critical in the bytes",
    profile: "leaf",
    body: () => ({
      tbsDer: bodyOf({
        ...validParts("leaf").parts,
        extendedKeyUsage: [extensions.extendedKeyUsage([serverAuth, clientAuth], true)],
      }).tbsDer,
    }),
  },
  {
    lints: ["members_as_written"],
    broken: "another end than in the bytes",
    profile: "leaf",
    body: () => ({ tbsDer: bodyOf({ ...validParts("leaf").parts, notAfter: d.utcTime("301231235959Z") }).tbsDer }),
  },
  {
    lints: ["der_canonical"],
    broken: "a set out of order",
    profile: "issuing",
    parts: () => ({
      extendedKeyUsage: [],
      issuer: d.sequence(d.set(d.sequence(d.oid("2.5.4.10"), d.utf8("b")), d.sequence(d.oid("2.5.4.10"), d.utf8("a")))),
    }),
    context: issuerWith(() => {
      const name = d.sequence(
        d.set(d.sequence(d.oid("2.5.4.10"), d.utf8("b")), d.sequence(d.oid("2.5.4.10"), d.utf8("a"))),
      );
      return { subject: name, issuer: name };
    }),
  },
  {
    lints: ["der_canonical", "extension_readable"],
    broken: "a long length in an extension where a short one would do",
    profile: "leaf",
    parts: ({ parts }) => ({
      subjectKeyId: [d.extension(oids.subjectKeyId, undefined, d.joined(d.bytes(0x04, 0x81, 20), keyIdOf(parts.spki)))],
    }),
  },
  {
    lints: ["no_unique_identifiers", "members_as_written"],
    broken: "a unique identifier of the subject",
    profile: "leaf",
    body: ({ tbsDer }) => ({ tbsDer: d.sequence(tbsDer.subarray(4), d.der(0x82, d.bytes(0, 1))) }),
  },
  {
    lints: ["size_below_4_kib"],
    broken: "a hundred DNS names",
    profile: "leaf",
    parts: () => leafNames(uriName(id), ...manyNames.map(dnsName)),
    context: () => ({ grantedDnsNames: manyNames }),
  },
  {
    lints: ["serial_positive"],
    broken: "a negative serial number",
    profile: "leaf",
    parts: () => ({ serial: d.integer(d.fromHex("8a01020304050607")) }),
  },
  {
    lints: ["serial_positive", "serial_at_least_64_bits"],
    broken: "the serial number 0",
    profile: "root",
    parts: () => ({ serial: d.integer(0) }),
  },
  {
    lints: ["serial_at_most_20_octets"],
    broken: "a serial number of 21 octets",
    profile: "issuing",
    parts: () => ({ serial: d.integer(new Uint8Array(21).fill(1)) }),
  },
  {
    lints: ["serial_minimal", "members_as_written"],
    broken: "a zero in front of the serial number",
    profile: "leaf",
    body: ({ serial }) => ({ serial: d.joined(d.bytes(0), serial) }),
  },
  {
    lints: ["serial_at_least_64_bits"],
    broken: "the serial number 4711",
    profile: "leaf",
    parts: () => ({ serial: d.integer(4711) }),
  },
  {
    lints: ["signature_algorithm_of_signer"],
    broken: "the algorithm of another kind of key",
    profile: "leaf",
    parts: () => ({ algorithm: algorithms.ecdsaSha384 }),
  },
  {
    lints: ["ecdsa_algorithm_without_parameters", "signature_algorithm_of_signer"],
    broken: "NULL beside ECDSA",
    profile: "leaf",
    parts: () => ({ algorithm: d.sequence(d.oid("1.2.840.10045.4.3.2"), d.nothing()) }),
  },
  {
    lints: ["rsa_algorithm_with_null", "signature_algorithm_of_signer"],
    broken: "nothing beside RSA",
    profile: "leaf",
    keys: ["P-256", "RSA-2048"],
    parts: () => ({ algorithm: d.sequence(d.oid("1.2.840.113549.1.1.11")) }),
  },
  {
    lints: ["signature_hash_not_broken", "signature_algorithm_of_signer"],
    broken: "SHA-1",
    profile: "leaf",
    keys: ["P-256", "RSA-2048"],
    parts: () => ({ algorithm: d.sequence(d.oid("1.2.840.113549.1.1.5"), d.nothing()) }),
  },
  {
    lints: ["issuer_not_empty", "issuer_is_issuers_subject"],
    broken: "an empty issuer",
    profile: "leaf",
    parts: () => ({ issuer: d.sequence() }),
  },
  {
    lints: ["issuer_is_issuers_subject"],
    broken: "the issuer's name in PrintableStrings",
    profile: "leaf",
    parts: () => ({
      issuer: d.distinguishedName(
        [d.organization, d.printable("mesh.example")],
        [d.commonName, d.printable("issuing P-256")],
      ),
    }),
  },
  {
    lints: ["root_issuer_is_subject"],
    broken: "a root that names another",
    profile: "root",
    parts: () => ({ issuer: d.distinguishedName([d.organization, d.utf8("elsewhere.example")]) }),
  },
  {
    lints: ["issuing_subject_differs"],
    broken: "an issuing authority with its root's subject",
    profile: "issuing",
    parts: ({ parts }) => ({ subject: parts.issuer }),
  },
  {
    lints: ["authority_subject_not_empty", "san_critical_without_subject"],
    broken: "an authority without a subject",
    profile: "issuing",
    parts: () => ({ subject: d.sequence() }),
  },
  {
    lints: ["leaf_subject_empty", "san_not_critical_with_subject"],
    broken: "a leaf with a subject",
    profile: "leaf",
    parts: () => ({ subject: d.distinguishedName([d.organization, d.utf8("mesh.example")]) }),
  },
  {
    lints: ["subject_one_attribute_each", "subject_known_attributes"],
    broken: "two attributes in one relative name",
    profile: "issuing",
    parts: () => ({
      subject: d.sequence(
        d.set(
          d.sequence(d.oid(d.commonName), d.utf8("issuer")),
          d.sequence(d.oid(d.organization), d.utf8("mesh.example")),
        ),
      ),
    }),
  },
  ...authorities.map(
    (profile): LintCase => ({
      lints: ["subject_known_attributes"],
      broken: "a country in the subject",
      profile,
      parts: () => named(profile, ["2.5.4.6", d.utf8("DE")], [d.organization, d.utf8("mesh.example")]),
    }),
  ),
  {
    lints: ["subject_utf8_string"],
    broken: "a PrintableString in the subject",
    profile: "root",
    parts: () => named("root", [d.organization, d.printable("mesh.example")]),
  },
  {
    lints: ["subject_utf8_string"],
    broken: "a UTF8String that is none",
    profile: "root",
    parts: () => named("root", [d.organization, d.der(0x0c, d.bytes(0x6d, 0xff, 0xfe))]),
  },
  {
    lints: ["subject_attribute_lengths"],
    broken: "an organization of 65 characters",
    profile: "root",
    parts: () => named("root", [d.organization, d.utf8("o".repeat(65))]),
  },
  {
    lints: ["subject_attribute_lengths"],
    broken: "an empty common name",
    profile: "root",
    parts: () => named("root", [d.organization, d.utf8("mesh.example")], [d.commonName, d.utf8("")]),
  },
  {
    lints: ["subject_no_outer_spaces"],
    broken: "a space behind the organization",
    profile: "root",
    parts: () => named("root", [d.organization, d.utf8("mesh.example ")]),
  },
  {
    lints: ["validity_order", "not_before_as_granted"],
    broken: "an end before the beginning",
    profile: "leaf",
    parts: ({ context }) => ({ notBefore: d.time(context.grantedNotAfterMillis + hour) }),
  },
  {
    lints: ["time_form_by_year"],
    broken: "GeneralizedTime in 2026",
    profile: "leaf",
    parts: ({ context }) => ({ notBefore: d.generalizedTime(digitsOf(context.grantedNotBeforeMillis)) }),
  },
  {
    lints: ["time_zulu", "members_as_written"],
    broken: "a time of another zone",
    profile: "leaf",
    body: ({ notAfter }) => ({ notAfter: { ...notAfter, text: notAfter.text.replace("Z", "+0000") } }),
  },
  {
    lints: ["time_has_seconds", "members_as_written"],
    broken: "a time without seconds",
    profile: "leaf",
    body: ({ notAfter }) => ({ notAfter: { ...notAfter, text: notAfter.text.replace(/00Z$/, "Z") } }),
  },
  {
    lints: ["time_no_fraction", "members_as_written"],
    broken: "a fraction of a second",
    profile: "root",
    body: ({ notAfter }) => ({ notAfter: { ...notAfter, text: notAfter.text.replace("Z", ".5Z") } }),
  },
  {
    lints: ["time_is_its_text", "members_as_written"],
    broken: "a 31st of June, taken for the 1st of July",
    profile: "leaf",
    body: ({ notBefore }) => ({ notBefore: { ...notBefore, text: "260631120000Z" } }),
  },
  {
    lints: ["not_after_within_issuers"],
    broken: "a leaf that outlives its issuer",
    profile: "leaf",
    parts: ({ context }) => ({ notAfter: d.time(context.issuer!.body.notAfter.millis + 1000) }),
    context: ({ context }) => ({ grantedNotAfterMillis: context.issuer!.body.notAfter.millis + 1000 }),
  },
  {
    lints: ["not_before_within_issuers"],
    broken: "a leaf from long before its issuer",
    profile: "leaf",
    parts: ({ context }) => ({ notBefore: d.time(context.issuer!.body.notBefore.millis - hour) }),
    context: ({ context }) => ({ grantedNotBeforeMillis: context.issuer!.body.notBefore.millis - hour }),
  },
  ...everyProfile.flatMap((profile): readonly LintCase[] => [
    {
      lints: ["not_before_as_granted"],
      broken: "a beginning that was not granted",
      profile,
      context: ({ context }) => ({ grantedNotBeforeMillis: context.grantedNotBeforeMillis + 1000 }),
    },
    {
      lints: ["not_after_as_granted"],
      broken: "an end that was not granted",
      profile,
      context: ({ context }) => ({ grantedNotAfterMillis: context.grantedNotAfterMillis - 1000 }),
    },
    {
      lints: ["key_as_granted"],
      broken: "a key that was not granted",
      profile,
      context: () => ({ grantedSpkiDer: fabricatedSpki("P-256", "another") }),
    },
  ]),
  {
    lints: ["key_known_shape", "ec_point_uncompressed"],
    broken: "a compressed point",
    profile: "leaf",
    ...otherKey(compressed, ecPoint),
  },
  {
    lints: ["ec_point_uncompressed", "key_known_shape"],
    broken: "the point at infinity",
    profile: "leaf",
    ...otherKey(
      d.sequence(d.sequence(d.oid("1.2.840.10045.2.1"), d.oid("1.2.840.10045.3.1.7")), d.bits(d.bytes(0))),
      d.bytes(0),
    ),
  },
  {
    lints: ["ec_key_named_curve", "key_known_shape"],
    broken: "a curve that is spelled out",
    profile: "leaf",
    ...otherKey(
      d.sequence(d.sequence(d.oid("1.2.840.10045.2.1"), d.sequence(d.integer(1))), d.bits(fullPoint)),
      fullPoint,
    ),
  },
  {
    lints: ["rsa_key_parameters_null", "key_known_shape"],
    broken: "an RSA key without NULL",
    profile: "leaf",
    ...otherKey(d.sequence(d.sequence(d.oid("1.2.840.113549.1.1.1")), d.bits(rsaKey)), rsaKey),
  },
  {
    lints: ["key_kind_as_granted"],
    broken: "another kind of key than granted",
    profile: "leaf",
    context: () => ({ subjectKeyKind: "P-384" }),
  },
  {
    lints: ["key_not_issuers"],
    broken: "a leaf with its issuer's key",
    profile: "leaf",
    parts: ({ context }) => ({
      spki: context.issuer!.body.spkiDer,
      subjectKeyId: [extensions.subjectKeyId(keyIdOf(context.issuer!.body.spkiDer))],
    }),
    context: ({ context }) => ({ grantedSpkiDer: context.issuer!.body.spkiDer }),
  },
  ...everyProfile.map(
    (profile): LintCase => ({
      lints: ["extension_no_duplicates"],
      broken: "the key usage twice",
      profile,
      parts: ({ parts }) => ({ moreExtensions: parts.keyUsage }),
    }),
  ),
  ...everyProfile.map(
    (profile): LintCase => ({
      lints: ["extension_known"],
      broken: "an extension that nobody knows",
      profile,
      parts: () => ({ moreExtensions: [d.extension("1.3.6.1.4.1.65980.1", undefined, d.nothing())] }),
    }),
  ),
  ...Object.entries({
    keyUsage: oids.keyUsage,
    basicConstraints: oids.basicConstraints,
    extendedKeyUsage: oids.extendedKeyUsage,
    subjectKeyId: oids.subjectKeyId,
    authorityKeyId: oids.authorityKeyId,
    subjectAltName: oids.subjectAltName,
  }).map(
    ([part, oid]): LintCase => ({
      lints: ["extension_readable"],
      broken: `NULL as ${part}`,
      profile: "leaf",
      parts: ({ parts }) => ({ [part]: [d.extension(oid, isCritical(part), d.nothing())], version: parts.version }),
    }),
  ),
  {
    lints: ["extension_default_not_written"],
    broken: "`critical` written as false",
    profile: "leaf",
    parts: ({ parts }) => ({ subjectKeyId: [extensions.subjectKeyId(keyIdOf(parts.spki), false)] }),
  },
  {
    lints: ["san_present"],
    broken: "no subject alternative name",
    profile: "leaf",
    parts: () => ({ subjectAltName: [] }),
  },
  {
    lints: ["san_present"],
    broken: "no subject alternative name",
    profile: "issuing",
    parts: () => ({ subjectAltName: [] }),
  },
  {
    lints: ["san_present", "san_uri_as_granted"],
    broken: "an identity in a root that was granted none",
    profile: "root",
    context: () => ({ grantedId: undefined }),
  },
  {
    lints: ["san_not_empty", "san_one_uri"],
    broken: "an empty subject alternative name",
    profile: "leaf",
    parts: () => leafNames(),
  },
  {
    lints: ["san_one_uri", "san_dns_as_granted"],
    broken: "no URI",
    profile: "leaf",
    parts: () => leafNames(dnsName("cart.shop.svc")),
  },
  {
    lints: ["san_one_uri", "san_uri_as_granted"],
    broken: "two URIs",
    profile: "leaf",
    parts: () => leafNames(uriName(id), uriName("spiffe://mesh.example/ns/shop/sa/till")),
  },
  {
    lints: ["san_no_duplicates", "san_one_uri"],
    broken: "the same URI twice",
    profile: "leaf",
    parts: () => leafNames(uriName(id), uriName(id)),
  },
  {
    lints: ["san_uri_as_granted"],
    broken: "another identity than granted",
    profile: "leaf",
    parts: () => leafNames(uriName("spiffe://mesh.example/ns/shop/sa/till")),
  },
  {
    lints: ["san_uri_as_granted", "trust_domain_of_issuer"],
    broken: "another trust domain than granted",
    profile: "issuing",
    parts: () => authorityNames(uriName("spiffe://other.example")),
  },
  {
    lints: ["san_uri_spiffe_id"],
    broken: "a trust domain in upper case, and granted so",
    profile: "leaf",
    parts: () => leafNames(uriName("spiffe://Mesh.example/ns/shop/sa/cart")),
    context: () => ({ grantedId: "spiffe://Mesh.example/ns/shop/sa/cart" }),
  },
  {
    lints: ["san_uri_spiffe_id"],
    broken: "a web address as identity, and granted so",
    profile: "leaf",
    parts: () => leafNames(uriName("https://mesh.example/cart")),
    context: () => ({ grantedId: "https://mesh.example/cart" }),
  },
  {
    lints: ["san_uri_has_path"],
    broken: "a leaf that is the trust domain itself",
    profile: "leaf",
    parts: () => leafNames(uriName("spiffe://mesh.example")),
    context: () => ({ grantedId: "spiffe://mesh.example" }),
  },
  ...authorities.map(
    (profile): LintCase => ({
      lints: ["san_uri_without_path"],
      broken: "an authority with a workload's identity",
      profile,
      parts: () => authorityNames(uriName(id)),
      context: () => ({ grantedId: id }),
    }),
  ),
  {
    lints: ["san_no_duplicates"],
    broken: "a DNS name twice",
    profile: "leaf",
    parts: () => leafNames(uriName(id), dnsName("cart.shop.svc"), dnsName("cart.shop.svc")),
    context: () => ({ grantedDnsNames: ["cart.shop.svc", "cart.shop.svc"] }),
  },
  {
    lints: ["san_known_kinds"],
    broken: "a mail address",
    profile: "leaf",
    parts: () => leafNames(uriName(id), d.der(0x81, Buffer.from("cart@mesh.example"))),
  },
  {
    lints: ["san_known_kinds"],
    broken: "a directory name",
    profile: "leaf",
    parts: () => leafNames(uriName(id), d.der(0xa4, d.sequence())),
  },
  {
    lints: ["san_known_kinds"],
    broken: "an authority with a DNS name",
    profile: "root",
    parts: () => authorityNames(uriName("spiffe://mesh.example"), dnsName("ca.mesh.example")),
  },
  {
    lints: ["san_ascii", "san_dns_ldh"],
    broken: "a zero octet in a DNS name",
    profile: "leaf",
    parts: () => leafNames(uriName(id), dnsName("cart.shop.svc\0.evil.example")),
    context: () => ({ grantedDnsNames: ["cart.shop.svc\0.evil.example"] }),
  },
  {
    lints: ["san_ascii", "san_dns_ldh"],
    broken: "an empty DNS name",
    profile: "leaf",
    parts: () => leafNames(uriName(id), dnsName("")),
    context: () => ({ grantedDnsNames: [""] }),
  },
  ...["*.shop.svc", "a_b.shop.svc", "cart.shop.svc.", "-cart.shop.svc", "cart-.shop.svc", "cart..svc"].map(
    (name): LintCase => ({
      lints: ["san_dns_ldh"],
      broken: `the DNS name ${name}`,
      profile: "leaf",
      parts: () => leafNames(uriName(id), dnsName(name)),
      context: () => ({ grantedDnsNames: [name] }),
    }),
  ),
  ...["a".repeat(64), `${"a".repeat(62)}.${"b".repeat(62)}.${"c".repeat(62)}.${"d".repeat(65 - 2)}.ef`].map(
    (name): LintCase => ({
      lints: ["san_dns_lengths"],
      broken: `a DNS name of ${name.length} characters`,
      profile: "leaf",
      parts: () => leafNames(uriName(id), dnsName(name)),
      context: () => ({ grantedDnsNames: [name] }),
    }),
  ),
  {
    lints: ["san_dns_as_granted"],
    broken: "a DNS name that was not granted",
    profile: "leaf",
    parts: () => leafNames(uriName(id), dnsName("bank.example")),
  },
  {
    lints: ["san_dns_as_granted"],
    broken: "a granted DNS name left out",
    profile: "leaf",
    context: () => ({ grantedDnsNames: ["cart.shop.svc"] }),
  },
  {
    lints: ["san_ip_lengths"],
    broken: "an address with a mask",
    profile: "leaf",
    parts: () => leafNames(uriName(id), ipName(10, 0, 0, 0, 255, 0, 0, 0)),
    context: () => ({ grantedIpAddresses: [d.bytes(10, 0, 0, 0, 255, 0, 0, 0)] }),
  },
  {
    lints: ["san_ip_as_granted"],
    broken: "an address that was not granted",
    profile: "leaf",
    parts: () => leafNames(uriName(id), ipName(10, 0, 0, 1)),
    context: () => ({ grantedIpAddresses: [d.bytes(10, 0, 0, 2)] }),
  },
  {
    lints: ["san_critical_without_subject"],
    broken: "names of a leaf that are not critical",
    profile: "leaf",
    parts: () => ({ subjectAltName: [extensions.subjectAltName([uriName(id)], undefined)] }),
  },
  ...authorities.map(
    (profile): LintCase => ({
      lints: ["san_not_critical_with_subject"],
      broken: "names of an authority that are critical",
      profile,
      parts: () => ({ subjectAltName: [extensions.subjectAltName([uriName("spiffe://mesh.example")], true)] }),
    }),
  ),
  {
    lints: ["trust_domain_of_issuer"],
    broken: "a leaf of another trust domain than its issuer's, and granted so",
    profile: "leaf",
    parts: () => leafNames(uriName("spiffe://other.example/ns/shop/sa/cart")),
    context: () => ({ grantedId: "spiffe://other.example/ns/shop/sa/cart" }),
  },
  { lints: ["key_usage_present"], broken: "no key usage", profile: "leaf", parts: () => ({ keyUsage: [] }) },
  { lints: ["key_usage_present"], broken: "no key usage", profile: "root", parts: () => ({ keyUsage: [] }) },
  {
    lints: ["key_usage_critical"],
    broken: "a key usage that is not critical",
    profile: "leaf",
    parts: () => ({ keyUsage: [d.extension(oids.keyUsage, undefined, d.bits(d.bytes(0x80), 7))] }),
  },
  {
    lints: ["key_usage_minimal"],
    broken: "seven zero bits behind digitalSignature",
    profile: "leaf",
    parts: () => usage([0x80], 0),
  },
  {
    lints: ["key_usage_not_empty", "key_usage_of_profile", "key_usage_leaf_signs"],
    broken: "no bit in the key usage",
    profile: "leaf",
    parts: () => usage([], 0),
  },
  {
    lints: ["key_usage_of_profile"],
    broken: "nonRepudiation beside digitalSignature",
    profile: "leaf",
    parts: () => usage([0xc0], 6),
  },
  {
    lints: ["key_usage_of_profile"],
    broken: "an RSA leaf without keyEncipherment",
    profile: "leaf",
    keys: ["RSA-2048", "P-256"],
    parts: () => usage([0x80], 7),
  },
  {
    lints: ["key_usage_of_profile"],
    broken: "an authority without cRLSign",
    profile: "issuing",
    parts: () => usage([0x04], 2),
  },
  {
    lints: ["key_usage_leaf_signs", "key_usage_of_profile"],
    broken: "a leaf with keyAgreement alone",
    profile: "leaf",
    parts: () => usage([0x08], 3),
  },
  {
    lints: ["key_usage_leaf_signs_no_certificates", "key_usage_of_profile", "key_usage_cert_sign_only_ca"],
    broken: "a leaf with keyCertSign",
    profile: "leaf",
    parts: () => usage([0x84], 2),
  },
  {
    lints: ["key_usage_authority_signs_certificates", "key_usage_of_profile"],
    broken: "an authority without keyCertSign",
    profile: "root",
    parts: () => usage([0x02], 1),
  },
  {
    lints: ["key_usage_cert_sign_only_ca", "basic_constraints_ca_flag"],
    broken: "keyCertSign without cA",
    profile: "root",
    parts: () => ({ basicConstraints: [extensions.basicConstraints([])] }),
  },
  {
    lints: ["key_usage_ec", "key_usage_of_profile"],
    broken: "keyEncipherment beside an EC key",
    profile: "leaf",
    parts: () => usage([0xa0], 5),
  },
  {
    lints: ["key_usage_rsa", "key_usage_of_profile"],
    broken: "keyAgreement beside an RSA key",
    profile: "leaf",
    keys: ["RSA-3072", "P-256"],
    parts: () => usage([0xa8], 3),
  },
  {
    lints: ["key_usage_only_bits_need_agreement", "key_usage_of_profile"],
    broken: "decipherOnly without keyAgreement",
    profile: "leaf",
    parts: () => usage([0x80, 0x80], 7),
  },
  {
    lints: ["basic_constraints_present"],
    broken: "no basic constraints",
    profile: "leaf",
    parts: () => ({ basicConstraints: [] }),
  },
  ...everyProfile.map(
    (profile): LintCase => ({
      lints: ["basic_constraints_critical"],
      broken: "basic constraints that are not critical",
      profile,
      parts: ({ parts }) => ({
        basicConstraints: [
          d.extension(oids.basicConstraints, undefined, contentOfBasicConstraints(profile)),
          ...parts.moreExtensions,
        ],
      }),
    }),
  ),
  {
    lints: ["basic_constraints_ca_flag"],
    broken: "a leaf that is a CA",
    profile: "leaf",
    parts: () => ({ basicConstraints: [extensions.basicConstraints([d.boolean(true)])] }),
  },
  {
    lints: ["basic_constraints_default_not_written"],
    broken: "cA written as false",
    profile: "leaf",
    parts: () => ({ basicConstraints: [extensions.basicConstraints([d.boolean(false)])] }),
  },
  {
    lints: ["path_length_only_ca"],
    broken: "a leaf with a path length",
    profile: "leaf",
    parts: () => ({ basicConstraints: [extensions.basicConstraints([d.integer(0)])] }),
  },
  {
    lints: ["path_length_of_profile"],
    broken: "an issuing authority with the path length 1",
    profile: "issuing",
    parts: () => ({ basicConstraints: [extensions.basicConstraints([d.boolean(true), d.integer(1)])] }),
  },
  {
    lints: ["path_length_of_profile"],
    broken: "a root with a path length",
    profile: "root",
    parts: () => ({ basicConstraints: [extensions.basicConstraints([d.boolean(true), d.integer(0)])] }),
  },
  {
    lints: ["extended_key_usage_present"],
    broken: "no extended key usage",
    profile: "leaf",
    parts: () => ({ extendedKeyUsage: [] }),
  },
  ...[[serverAuth], [clientAuth, serverAuth], [serverAuth, clientAuth, d.oid("1.3.6.1.5.5.7.3.3")], []].map(
    (purposes): LintCase => ({
      lints: ["extended_key_usage_of_leaf"],
      broken: `${purposes.length} purposes`,
      profile: "leaf",
      parts: () => ({ extendedKeyUsage: [extensions.extendedKeyUsage(purposes)] }),
    }),
  ),
  {
    lints: ["extended_key_usage_not_any", "extended_key_usage_of_leaf"],
    broken: "any purpose",
    profile: "leaf",
    parts: () => ({ extendedKeyUsage: [extensions.extendedKeyUsage([serverAuth, clientAuth, d.oid("2.5.29.37.0")])] }),
  },
  ...authorities.map(
    (profile): LintCase => ({
      lints: ["extended_key_usage_not_authority"],
      broken: "an authority with an extended key usage",
      profile,
      parts: () => ({ extendedKeyUsage: [extensions.extendedKeyUsage([serverAuth, clientAuth])] }),
    }),
  ),
  {
    lints: ["extended_key_usage_not_critical"],
    broken: "an extended key usage that is critical",
    profile: "leaf",
    parts: () => ({ extendedKeyUsage: [extensions.extendedKeyUsage([serverAuth, clientAuth], true)] }),
  },
  {
    lints: ["subject_key_id_present"],
    broken: "no subject key identifier",
    profile: "leaf",
    parts: () => ({ subjectKeyId: [] }),
  },
  {
    lints: ["subject_key_id_present"],
    broken: "no subject key identifier",
    profile: "root",
    parts: () => ({ subjectKeyId: [] }),
  },
  {
    lints: ["subject_key_id_not_critical"],
    broken: "a subject key identifier that is critical",
    profile: "leaf",
    parts: ({ parts }) => ({ subjectKeyId: [extensions.subjectKeyId(keyIdOf(parts.spki), true)] }),
  },
  ...everyProfile.map(
    (profile): LintCase => ({
      lints: ["subject_key_id_of_key"],
      broken: "the subject key identifier of another key",
      profile,
      parts: () => ({ subjectKeyId: [extensions.subjectKeyId(new Uint8Array(20).fill(9))] }),
    }),
  ),
  ...issued.flatMap((profile): readonly LintCase[] => [
    {
      lints: ["authority_key_id_present"],
      broken: "no authority key identifier",
      profile,
      parts: () => ({ authorityKeyId: [] }),
    },
    {
      lints: ["authority_key_id_of_issuer"],
      broken: "the authority key identifier of another key",
      profile,
      parts: () => ({ authorityKeyId: [extensions.authorityKeyId(new Uint8Array(20).fill(9))] }),
    },
  ]),
  {
    lints: ["authority_key_id_of_issuer"],
    broken: "an issuer without a subject key identifier",
    profile: "leaf",
    context: issuerWith(() => ({ subjectKeyId: [] })),
  },
  {
    lints: ["authority_key_id_not_critical"],
    broken: "an authority key identifier that is critical",
    profile: "leaf",
    parts: ({ context }) => ({
      authorityKeyId: [extensions.authorityKeyId(keyIdOf(context.issuer!.body.spkiDer), true)],
    }),
  },
  {
    lints: ["authority_key_id_alone"],
    broken: "issuer and serial number beside the key identifier",
    profile: "leaf",
    parts: ({ context, parts }) => ({
      authorityKeyId: [
        d.extension(
          oids.authorityKeyId,
          undefined,
          d.sequence(
            d.der(0x80, keyIdOf(context.issuer!.body.spkiDer)),
            d.der(0xa1, d.der(0xa4, parts.issuer)),
            d.der(0x82, d.bytes(5)),
          ),
        ),
      ],
    }),
  },
  {
    lints: ["authority_key_id_alone"],
    broken: "an empty authority key identifier",
    profile: "leaf",
    parts: () => ({ authorityKeyId: [d.extension(oids.authorityKeyId, undefined, d.sequence())] }),
  },
  {
    lints: ["root_authority_key_id_own"],
    broken: "a root that points to another key",
    profile: "root",
    parts: () => ({ authorityKeyId: [extensions.authorityKeyId(new Uint8Array(20).fill(9))] }),
  },
  {
    lints: ["root_key_of_signer", "signature_algorithm_of_signer"],
    broken: "a root that another kind of key signs",
    profile: "root",
    context: () => ({ signerKeyKind: "P-384" }),
  },
  {
    lints: ["issuer_key_of_signer"],
    broken: "an issuer with another kind of key than signs",
    profile: "leaf",
    context: issuerWith(() => ({ spki: fabricatedSpki("P-384", "issuing") })),
  },
  {
    lints: ["issuer_is_ca"],
    broken: "an issuer that is no CA",
    profile: "leaf",
    context: issuerWith(() => ({ basicConstraints: [extensions.basicConstraints([])] })),
  },
  {
    lints: ["issuer_is_ca"],
    broken: "an issuer without keyCertSign",
    profile: "leaf",
    context: issuerWith(() => usage([0x02], 1)),
  },
  {
    lints: ["issuer_path_length_permits"],
    broken: "an issuing authority below one that permits leaves only",
    profile: "issuing",
    context: issuerWith(() => ({ basicConstraints: [extensions.basicConstraints([d.boolean(true), d.integer(0)])] })),
  },
  {
    lints: ["issuer_name_constraints_permit"],
    broken: "an issuer for another trust domain",
    profile: "leaf",
    context: constrained(permitted(uriName("other.example"))),
  },
  {
    lints: ["issuer_name_constraints_permit"],
    broken: "an issuer for every trust domain but this",
    profile: "issuing",
    context: constrained(excluded(uriName("mesh.example"))),
  },
];

const manyNames = Array.from({ length: 100 }, (_, i) => `cart-${i}.${"shop".repeat(8)}.example`);

function digitsOf(millis: number): string {
  return new Date(millis).toISOString().replace(/[-:T]|\.\d+/g, "");
}

function isCritical(part: string): boolean | undefined {
  return part === "keyUsage" || part === "basicConstraints" || part === "subjectAltName" ? true : undefined;
}

function contentOfBasicConstraints(profile: LintContext["profile"]): Uint8Array {
  return d.sequence(...{ leaf: [], issuing: [d.boolean(true), d.integer(0)], root: [d.boolean(true)] }[profile]);
}
