import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { test } from "node:test";
import { signatureAlgorithmFrom, signatureAlgorithmOf, signatureAlgorithms } from "#ca/x509/algorithms";
import { type CertificateTemplate, type KeyKind, keyKinds } from "#ca/x509/contract";
import { element } from "#ca/x509/encode";
import { importPublicKey, signTbs, verifySignature } from "#ca/x509/import-key";
import { readCertificate, readCertificateBody } from "#ca/x509/read-certificate";
import {
  extensionOids,
  readAlternativeNames,
  readAuthorityKeyId,
  readBasicConstraints,
  readExtendedKeyUsage,
  readKeyUsage,
  readSubjectKeyId,
} from "#ca/x509/read-extensions";
import { SubjectPublicKey } from "#ca/x509/subject-public-key";
import { assembleCertificate, buildTbs, drawSerial, subjectKeyId } from "#ca/x509/write-certificate";
import { oracleRead } from "#test/support/ca/der-oracle";
import { bits, bool, concat, hex, integer, octets, oid, seq, text, tlv } from "#test/support/ca/der-writer";
import { keyPair, leafTemplate, makeAuthority } from "#test/support/ca/make-certificate";
import { name } from "#test/support/ca/make-csr";

const root = makeAuthority({ kind: "P-256", profile: "root" });
const notBeforeMillis = Date.UTC(2026, 10, 26, 6, 0, 0);
const notAfterMillis = Date.UTC(2026, 10, 26, 7, 0, 0);
const serial = hex("0102030405060708090a0b0c0d0e0f10");
const when = { notBeforeMillis, notAfterMillis, serial };
const leafSpki = keyPair("P-256", "leaf").spkiDer;

const extension = (dotted: string, critical: boolean, value: Uint8Array) =>
  critical ? seq(oid(dotted), bool(true), octets(value)) : seq(oid(dotted), octets(value));
const keyIdOf = (spki: Uint8Array, start: number) =>
  new Uint8Array(createHash("sha256").update(spki.subarray(start)).digest().subarray(0, 20));

test("a leaf is written element by element as its profile says", () => {
  const template = leafTemplate(root, { ...when, dnsNames: ["a.example", "b"], ipAddresses: [hex("7f000001")] });
  const expected = seq(
    tlv(0xa0, integer(2)),
    tlv(0x02, serial),
    seq(oid("1.2.840.10045.4.3.2")),
    root.certificate.subjectDer,
    seq(text(0x17, "261126060000Z"), text(0x17, "261126070000Z")),
    seq(),
    leafSpki,
    tlv(0xa3, [
      seq(
        extension("2.5.29.15", true, hex("03020780")),
        extension("2.5.29.37", false, seq(oid("1.3.6.1.5.5.7.3.1"), oid("1.3.6.1.5.5.7.3.2"))),
        extension("2.5.29.19", true, seq()),
        extension("2.5.29.14", false, octets(keyIdOf(leafSpki, 26))),
        extension("2.5.29.35", false, seq(tlv(0x80, root.names.subjectKeyId))),
        extension(
          "2.5.29.17",
          true,
          seq(text(0x86, template.uri), text(0x82, "a.example"), text(0x82, "b"), tlv(0x87, hex("7f000001"))),
        ),
      ),
    ]),
  );
  assert.deepEqual(buildTbs(template), expected);
});

const authority = {
  ...when,
  organization: "cluster.local",
  subjectPublicKeyDer: keyPair("P-384").spkiDer,
} as const;

test("a root names itself, signs by its own kind, and has no path length and no authority key id", () => {
  const tbs = buildTbs({ ...authority, profile: "root", issuer: undefined, commonName: "root 1", uri: "spiffe://td" });
  const subject = name(["2.5.4.10", "cluster.local"], ["2.5.4.3", "root 1"]);
  const expected = seq(
    tlv(0xa0, integer(2)),
    tlv(0x02, serial),
    seq(oid("1.2.840.10045.4.3.3")),
    subject,
    seq(text(0x17, "261126060000Z"), text(0x17, "261126070000Z")),
    subject,
    authority.subjectPublicKeyDer,
    tlv(0xa3, [
      seq(
        extension("2.5.29.15", true, hex("03020106")),
        extension("2.5.29.19", true, seq(bool(true))),
        extension("2.5.29.14", false, octets(keyIdOf(authority.subjectPublicKeyDer, 23))),
        extension("2.5.29.17", false, seq(text(0x86, "spiffe://td"))),
      ),
    ]),
  );
  assert.deepEqual(tbs, expected);
});

const extensionsOf = (template: CertificateTemplate) => {
  const read = readCertificateBody(buildTbs(template));
  assert.ok(read.ok);
  return new Map(read.value.extensions.map(({ oid: type, value }) => [type, value]));
};

test("a root in Istio's form has an organization alone, and no name beside", () => {
  const template = { ...authority, profile: "root", issuer: undefined, commonName: undefined, uri: undefined } as const;
  const read = readCertificateBody(buildTbs(template));
  assert.ok(read.ok);
  assert.deepEqual(read.value.subjectDer, name(["2.5.4.10", "cluster.local"]));
  assert.equal(extensionsOf(template).has(extensionOids.subjectAlternativeName), false);
});

test("an issuing authority ends paths, and names its issuer's key", () => {
  const extensions = extensionsOf({
    ...authority,
    profile: "issuing",
    issuer: root.names,
    commonName: "issuer",
    uri: "spiffe://td",
  });
  const value = (type: string) => extensions.get(type)!;
  assert.deepEqual(readBasicConstraints(value(extensionOids.basicConstraints)), {
    ok: true,
    value: { ca: true, pathLength: 0, defaultWritten: false },
  });
  assert.deepEqual(readAuthorityKeyId(value(extensionOids.authorityKeyId)), {
    ok: true,
    value: root.names.subjectKeyId,
  });
  assert.equal(extensions.has(extensionOids.extendedKeyUsage), false);
});

for (const kind of keyKinds)
  test(`a leaf with a ${kind} key says what the key is for, and is signed by the issuer's kind`, () => {
    const { spkiDer } = keyPair(kind, "leaf");
    const extensions = extensionsOf(leafTemplate(root, { subjectPublicKeyDer: spkiDer }));
    assert.deepEqual(readKeyUsage(extensions.get(extensionOids.keyUsage)!), {
      ok: true,
      value: {
        names: kind.startsWith("RSA") ? ["digitalSignature", "keyEncipherment"] : ["digitalSignature"],
        minimal: true,
      },
    });
    assert.deepEqual(readExtendedKeyUsage(extensions.get(extensionOids.extendedKeyUsage)!), {
      ok: true,
      value: ["1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2"],
    });
    assert.deepEqual(readSubjectKeyId(extensions.get(extensionOids.subjectKeyId)!), {
      ok: true,
      value: subjectKeyId(spkiDer),
    });
    assert.deepEqual(readAlternativeNames(extensions.get(extensionOids.subjectAlternativeName)!), {
      ok: true,
      value: [{ kind: "uri", value: "spiffe://cluster.local/ns/default/sa/httpbin" }],
    });
  });

test("times are UTCTime through 2049 and GeneralizedTime from 2050, rounded down to seconds", () => {
  const timesOf = (notBefore: number, notAfter: number) => {
    const read = readCertificateBody(
      buildTbs(leafTemplate(root, { notBeforeMillis: notBefore, notAfterMillis: notAfter })),
    );
    assert.ok(read.ok);
    return [read.value.notBefore, read.value.notAfter];
  };
  const switching = Date.UTC(2050, 0);
  assert.deepEqual(timesOf(switching - 1, switching), [
    { form: "UTCTime", text: "491231235959Z", millis: switching - 1000 },
    { form: "GeneralizedTime", text: "20500101000000Z", millis: switching },
  ]);
  assert.deepEqual(timesOf(Date.UTC(1950, 0), Date.UTC(9999, 11, 31, 23, 59, 59)), [
    { form: "UTCTime", text: "500101000000Z", millis: Date.UTC(1950, 0) },
    { form: "GeneralizedTime", text: "99991231235959Z", millis: Date.UTC(9999, 11, 31, 23, 59, 59) },
  ]);
});

/** Content lengths at which the number of length bytes changes. */
test("lengths are minimal around 127, 128, 255, 256 and 65535", () => {
  for (const size of [0, 1, 126, 127, 128, 129, 254, 255, 256, 257, 65534, 65535, 65536]) {
    const written = new Uint8Array(Buffer.from(element(0x04, "x".repeat(size)), "latin1"));
    assert.deepEqual(written, octets(new Uint8Array(size).fill(0x78)));
    assert.notEqual(oracleRead(written, 1), undefined);
  }
});

test("names of every length are written so that both readers take them", () => {
  for (let size = 1; size < 300; size++) {
    const uri = "u".repeat(size);
    const tbs = buildTbs(leafTemplate(root, { uri, dnsNames: ["d".repeat(size)] }));
    const read = readCertificateBody(tbs);
    assert.ok(read.ok && oracleRead(tbs, 8) !== undefined);
    const names = readAlternativeNames(read.value.extensions.at(-1)!.value);
    assert.deepEqual(names, {
      ok: true,
      value: [
        { kind: "uri", value: uri },
        { kind: "dns", value: "d".repeat(size) },
      ],
    });
  }
});

for (const [what, changes, message] of [
  ["a serial number of nothing", { serial: new Uint8Array() }, /serial/],
  ["a serial number of zero", { serial: hex("00") }, /serial/],
  ["a negative serial number", { serial: hex("80") }, /serial/],
  ["a serial number that is not minimal", { serial: hex("0001") }, /serial/],
  ["a serial number of 21 bytes", { serial: new Uint8Array(21).fill(1) }, /serial/],
  ["a time that is none", { notAfterMillis: Number.NaN }, /time/],
  ["a time before 1950", { notBeforeMillis: Date.UTC(1949, 11, 31) }, /time/],
  ["a time after 9999", { notAfterMillis: Date.UTC(10000, 0) }, /time/],
  ["a URI beyond ASCII", { uri: "spiffe://td/ä" }, /ASCII/],
  ["an empty URI", { uri: "" }, /empty/],
  ["a DNS name with a line break", { dnsNames: ["a\nb"] }, /ASCII/],
  ["an address of five bytes", { ipAddresses: [new Uint8Array(5)] }, /4 or 16/],
  ["a key of another shape", { subjectPublicKeyDer: seq() }, /shapes/],
] as const)
  test(`a template with ${what} is a defect`, () => {
    assert.throws(() => buildTbs(leafTemplate(root, changes)), message);
  });

test("a serial number with the top bit of its second byte set is written as it is", () => {
  const read = readCertificateBody(buildTbs(leafTemplate(root, { serial: hex("00ff") })));
  assert.deepEqual(read.ok && read.value.serial, hex("00ff"));
});

test("serial numbers have 16 bytes, are positive and minimal, whatever chance brings", () => {
  for (let first = 0; first < 256; first++) {
    const draws = [first, 0x55].map((byte) => Uint8Array.of(byte, ...new Uint8Array(15)));
    const drawn = drawSerial(() => draws.shift()!);
    assert.equal(drawn.length, 16);
    assert.ok(drawn[0]! >= 1 && drawn[0]! <= 0x7f);
    assert.equal(drawn[0], (first & 0x7f) === 0 ? 0x55 : first & 0x7f);
  }
  const many = new Set(Array.from({ length: 10_000 }, () => Buffer.from(drawSerial(randomBytes)).toString("hex")));
  assert.equal(many.size, 10_000);
  assert.throws(() => drawSerial((size) => new Uint8Array(size)), /gives none/);
  assert.throws(() => drawSerial(() => hex("01")), /gives none/);
});

test("a key of another shape has no key id", () => {
  assert.throws(() => subjectKeyId(seq()), /shapes/);
});

const importable = (kind: KeyKind) => {
  const { privateKey, spkiDer } = keyPair(kind, "signer");
  const key = SubjectPublicKey.of(spkiDer);
  assert.ok(key !== undefined);
  const imported = importPublicKey(key);
  assert.ok(imported !== undefined);
  return { privateKey, imported };
};

for (const kind of keyKinds)
  test(`a ${kind} key signs a body, and the certificate says so and verifies`, () => {
    const { privateKey, imported } = importable(kind);
    const issuer = { ...root.names, keyKind: kind };
    const tbs = buildTbs(leafTemplate(root, { issuer }));
    const signature = signTbs(kind, privateKey, tbs);
    const read = readCertificate(assembleCertificate(tbs, kind, signature));
    assert.ok(read.ok);
    assert.deepEqual(read.value.tbsDer, tbs);
    assert.deepEqual(read.value.outerAlgorithmDer, read.value.signatureAlgorithmDer);
    assert.deepEqual(read.value.signature, signature);
    const algorithm = signatureAlgorithmFrom(read.value.outerAlgorithmDer);
    assert.equal(algorithm, signatureAlgorithmOf(kind));
    assert.equal(verifySignature(algorithm!, imported, tbs, signature), true);
    assert.equal(verifySignature(algorithm!, imported, concat(tbs, hex("00")), signature), false);
    for (const other of signatureAlgorithms)
      if (other !== algorithm) assert.equal(verifySignature(other, imported, tbs, signature), false);
    for (const broken of [new Uint8Array(), hex("00"), seq(integer(1), integer(1)), concat(signature, hex("00"))])
      assert.equal(verifySignature(algorithm!, imported, tbs, broken), false);
  });

test("a point off its curve is not imported", () => {
  const spki = leafSpki.slice();
  spki[spki.length - 1]! ^= 1;
  const key = SubjectPublicKey.of(spki);
  assert.ok(key !== undefined);
  assert.equal(importPublicKey(key), undefined);
});

test("only the known algorithms in their one encoding are known", () => {
  for (const der of [seq(), seq(oid("1.2.840.10045.4.3.4")), seq(oid("1.2.840.113549.1.1.11")), bits(hex("00"))])
    assert.equal(signatureAlgorithmFrom(der), undefined);
  for (const algorithm of signatureAlgorithms) assert.equal(signatureAlgorithmFrom(algorithm.der.slice()), algorithm);
});
