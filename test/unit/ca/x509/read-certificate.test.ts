import assert from "node:assert/strict";
import { test } from "node:test";
import type { Certificate, CertificateBody } from "#ca/x509/contract";
import { readCertificate, readCertificateBody } from "#ca/x509/read-certificate";
import {
  bits,
  bool,
  concat,
  hex,
  integer,
  nothing,
  octets,
  oid,
  seq,
  set,
  text,
  tlv,
} from "#test/support/ca/der-writer";
import { makeAuthority, makeLeaf } from "#test/support/ca/make-certificate";
import { name, workloadKey } from "#test/support/ca/make-csr";

const algorithm = seq(oid("1.2.840.10045.4.3.2"));
const utc = (value: string) => text(0x17, value);
const generalized = (value: string) => text(0x18, value);
const spkiDer = workloadKey("P-256").spkiDer;
const extension = seq(oid("2.5.29.19"), bool(true), octets(seq()));

/** The parts of a body, in their order, each of which a test can change. */
const parts = {
  version: tlv(0xa0, integer(2)),
  serial: integer(0x8001),
  algorithm,
  issuer: name(["2.5.4.10", "td"], ["2.5.4.3", "root"]),
  validity: seq(utc("260101000000Z"), utc("491231235959Z")),
  subject: seq(),
  spki: spkiDer,
  extensions: tlv(0xa3, seq(extension)),
};
const none = new Uint8Array();
const body = (changes: Partial<typeof parts> = {}): Uint8Array => seq(...Object.values({ ...parts, ...changes }));
const certificate = (tbs: Uint8Array) => seq(tbs, algorithm, bits(hex("3000")));

function read(der: Uint8Array): CertificateBody {
  const result = readCertificateBody(der);
  assert.ok(result.ok, JSON.stringify(result));
  return result.value;
}

test("a body says what stands in it, whole elements byte by byte", () => {
  const der = body();
  const found = read(der);
  assert.deepEqual(found, {
    tbsDer: der,
    version: 3,
    serial: hex("008001"),
    signatureAlgorithmDer: algorithm,
    issuerDer: parts.issuer,
    notBefore: { form: "UTCTime", text: "260101000000Z", millis: Date.UTC(2026, 0) },
    notAfter: { form: "UTCTime", text: "491231235959Z", millis: Date.UTC(2049, 11, 31, 23, 59, 59) },
    subjectDer: seq(),
    spkiDer,
    extensions: [{ oid: "2.5.29.19", critical: true, defaultWritten: false, value: seq() }],
  } satisfies CertificateBody);
});

test("a certificate says the same, with its algorithm and signature", () => {
  const der = certificate(body());
  const result = readCertificate(der);
  assert.ok(result.ok);
  const expected: Certificate = { ...read(body()), der, outerAlgorithmDer: algorithm, signature: hex("3000") };
  assert.deepEqual(result.value, expected);
});

test("what lints judge is read all the same", () => {
  assert.equal(read(body({ version: none, extensions: none })).version, 1);
  assert.equal(read(body({ version: tlv(0xa0, integer(1)) })).version, 2);
  assert.deepEqual(read(body({ extensions: none })).extensions, []);
  assert.deepEqual(read(body({ serial: tlv(2, hex("ff")) })).serial, hex("ff"));
  const twice = read(body({ extensions: tlv(0xa3, seq(extension, extension)) })).extensions;
  assert.equal(twice.length, 2);
  const written = seq(oid("1.2.3"), bool(false), octets(none));
  assert.deepEqual(read(body({ extensions: tlv(0xa3, seq(written)) })).extensions, [
    { oid: "1.2.3", critical: false, defaultWritten: true, value: none },
  ]);
  assert.deepEqual(read(body({ spki: seq(algorithm, bits(none)) })).spkiDer, seq(algorithm, bits(none)));
});

test("bytes of a Buffer's pool are read where they stand", () => {
  const padded = concat(hex("ffffff"), certificate(body()), hex("ff"));
  const result = readCertificate(Buffer.from(padded).subarray(3, padded.length - 1));
  assert.ok(result.ok);
  assert.deepEqual(result.value.tbsDer, body());
});

const bad: readonly [string, Partial<typeof parts>, RegExp][] = [
  ["version 1 written", { version: tlv(0xa0, integer(0)) }, /version 2 or 3/],
  ["version 4", { version: tlv(0xa0, integer(3)) }, /version 2 or 3/],
  ["no version in its tag", { version: tlv(0xa0, []) }, /version 2 or 3/],
  ["a serial number of another type", { serial: octets(hex("01")) }, /serial/],
  ["no serial number", { serial: none }, /serial/],
  ["an algorithm that is a SET", { algorithm: set(oid("1.2")) }, /algorithm/],
  ["an algorithm with two parameters", { algorithm: seq(oid("1.2.3"), nothing, nothing) }, /algorithm/],
  ["an algorithm without a type", { algorithm: seq(nothing) }, /algorithm/],
  ["an issuer that is no name", { issuer: set() }, /name/],
  ["a subject that is no name", { subject: seq(seq()) }, /SET in a name/],
  ["one time", { validity: seq(utc("260101000000Z")) }, /validity/],
  ["three times", { validity: seq(utc("260101000000Z"), utc("260101000000Z"), utc("260101000000Z")) }, /validity/],
  ["a time that is no time", { validity: seq(utc("260101000000Z"), integer(1)) }, /expected a time/],
  ["a time that does not exist", { validity: seq(utc("260230000000Z"), utc("260101000000Z")) }, /exists/],
  ["a key without an algorithm", { spki: seq(bits(none)) }, /SubjectPublicKeyInfo/],
  ["a key without bits", { spki: seq(algorithm, octets(none)) }, /SubjectPublicKeyInfo/],
  ["no key", { spki: none }, /SubjectPublicKeyInfo/],
  ["a unique identifier", { extensions: tlv(0x81, hex("0000")) }, /unique identifiers/],
  ["extensions twice", { extensions: concat(parts.extensions, parts.extensions) }, /nothing behind the extensions/],
  ["no list of extensions", { extensions: tlv(0xa3, []) }, /one list/],
  ["two lists of extensions", { extensions: tlv(0xa3, [seq(extension), seq(extension)]) }, /one list/],
  ["an empty list of extensions", { extensions: tlv(0xa3, seq()) }, /list of extensions/],
  ["an extension without a value", { extensions: tlv(0xa3, seq(seq(oid("1.2"), bool(true)))) }, /an extension/],
  ["an extension without a type", { extensions: tlv(0xa3, seq(seq(octets(none)))) }, /an extension/],
  [
    "an extension of four",
    { extensions: tlv(0xa3, seq(seq(oid("1.2"), bool(true), octets(none), nothing))) },
    /behind/,
  ],
];
for (const [what, changes, message] of bad)
  test(`a body with ${what} is refused`, () => {
    for (const result of [readCertificateBody(body(changes)), readCertificate(certificate(body(changes)))]) {
      assert.ok(!result.ok);
      assert.match(result.fault.message, message);
      assert.equal(typeof result.fault.offset, "number");
    }
  });

const tbs = body();
const notCertificates: readonly [string, Uint8Array, RegExp][] = [
  ["nothing", none, /expected an element/],
  ["a body alone", tbs, /nothing behind the signature/],
  ["two parts", seq(tbs, algorithm), /a SEQUENCE of three/],
  ["a SET", set(tbs, algorithm, bits(none)), /a SEQUENCE of three/],
  ["a fourth element", seq(tbs, algorithm, bits(none), nothing), /nothing behind the signature/],
  ["an algorithm that is none", seq(tbs, nothing, bits(none)), /algorithm of the signature/],
  ["a signature with unused bits", seq(tbs, algorithm, bits(hex("80"), 7)), /whole bytes/],
  ["a signature of another type", seq(tbs, algorithm, octets(hex("00"))), /whole bytes/],
  ["a byte behind the end", concat(certificate(tbs), hex("00")), /bytes follow/],
  ["64 KiB", seq(tbs, algorithm, bits(new Uint8Array(65536))), /at most 65536/],
];
for (const [what, der, message] of notCertificates)
  test(`a certificate of ${what} is refused`, () => {
    const result = readCertificate(der);
    assert.ok(!result.ok);
    assert.match(result.fault.message, message);
  });

/** X.680 §46, §47; RFC 5280 §4.1.2.5. */
const times: readonly [Uint8Array, number | undefined][] = [
  [utc("500101000000Z"), Date.UTC(1950, 0)],
  [utc("491231235959Z"), Date.UTC(2049, 11, 31, 23, 59, 59)],
  [utc("2601010000Z"), Date.UTC(2026, 0)],
  [utc("260101020000+0200"), Date.UTC(2026, 0)],
  [utc("251231233000-0030"), Date.UTC(2026, 0)],
  [utc("240229000000Z"), Date.UTC(2024, 1, 29)],
  [utc("230229000000Z"), undefined],
  [utc("261301000000Z"), undefined],
  [utc("260101240000Z"), undefined],
  [utc("260101000060Z"), undefined],
  [utc("260101000000"), undefined],
  [utc("260101000000z"), undefined],
  [utc("260101000000Z "), undefined],
  [utc("260101000000.5Z"), undefined],
  [utc("2026010100000Z"), undefined],
  [utc(""), undefined],
  [utc("1".repeat(1000)), undefined],
  [generalized("20500101000000Z"), Date.UTC(2050, 0)],
  [generalized("20260101000000Z"), Date.UTC(2026, 0)],
  [generalized("20260101000000.25Z"), Date.UTC(2026, 0) + 250],
  [generalized("99991231235959Z"), Date.UTC(9999, 11, 31, 23, 59, 59)],
  [generalized("20260101010000+0100"), Date.UTC(2026, 0)],
  [generalized("20260101000000"), undefined],
  [generalized("20260101000000,5Z"), undefined],
  [generalized("2026010100Z"), undefined],
  [generalized("00000230000000Z"), undefined],
];
for (const [time, millis] of times)
  test(`the time ${Buffer.from(time.subarray(2, 40)).toString()} is ${millis ?? "refused"}`, () => {
    const result = readCertificateBody(body({ validity: seq(time, time) }));
    assert.equal(result.ok ? result.value.notAfter.millis : undefined, millis);
    if (result.ok) assert.equal(result.value.notBefore.text, Buffer.from(time.subarray(2)).toString());
  });

test("what the product writes is read back as it was meant", () => {
  const root = makeAuthority({ kind: "P-384", profile: "root" });
  const leaf = makeLeaf(root, { dnsNames: ["a.example"] });
  assert.deepEqual(leaf.issuerDer, root.certificate.subjectDer);
  assert.deepEqual(leaf.signatureAlgorithmDer, leaf.outerAlgorithmDer);
  assert.equal(leaf.version, 3);
});
