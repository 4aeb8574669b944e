import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { checkDer } from "#ca/x509/check-der";
import { readDer } from "#ca/x509/der";
import { readPem } from "#ca/x509/pem";
import { readCertificate, readCertificateBody } from "#ca/x509/read-certificate";
import { type OracleNode, oracleRead, outline } from "#test/support/ca/der-oracle";
import { bits, bool, hex, integer, nothing, octets, oid, seq, set, text, tlv } from "#test/support/ca/der-writer";
import { makeAuthority, makeLeaf } from "#test/support/ca/make-certificate";
import { mutateDer } from "#test/support/ca/mutate-der";
import { Random, testSeed } from "#test/support/random";

const count = process.env["GARITA_LONG"] === "1" ? 1_000_000 : 60_000;

/** One of each type, inside each other. */
const everyType = seq(
  integer(0),
  integer(2n ** 127n),
  tlv(0x02, hex("ff7f")),
  tlv(0x02, hex("80")),
  bool(true),
  bool(false),
  nothing,
  bits(hex("a0"), 5),
  bits(new Uint8Array()),
  octets(seq(integer(1))),
  oid("2.999.16383.9007199254740991"),
  set(text(0x0c, "ä"), text(0x13, ""), text(0x16, "a"), tlv(0x1e, hex("00410042")), tlv(0x1c, hex("00000041"))),
  text(0x17, "491231235959Z"),
  text(0x18, "20500101000000Z"),
  tlv(0x80, hex("ff00")),
  tlv(0xa3, [seq(), tlv(0x9e, hex("0041"))]),
  tlv(0x0a, hex("05")),
  tlv(0x41, hex("01")),
);

const corpus = new URL("../../corpora/csr/", import.meta.url);
const requests = readdirSync(corpus).map((file) => {
  const read = readPem(readFileSync(new URL(file, corpus), "utf8"), ["CERTIFICATE REQUEST"]);
  assert.ok(read.ok);
  return read.value;
});
const root = makeAuthority({ kind: "P-256", profile: "root" });
const bases = [everyType, everyType, ...requests, root.certificate.der, makeLeaf(root).der];

test(`the product's reader and the oracle agree on ${count} mutations of DER`, () => {
  const random = new Random(testSeed("DER"));
  let accepted = 0;
  for (let i = 0; i < count; i++) {
    const der = mutateDer(random.pick(bases), random);
    const depth = 2 + random.below(10);
    const expected = oracleRead(der, depth);
    const limits = { sizeBytes: 64 * 1024, depth };
    // The check by itself, for node-forge behind it would hide what it lets through; then both.
    const refused = checkDer(der, limits) !== undefined;
    const found = readDer(der, limits);
    const told = `${Buffer.from(der).toString("hex")} at depth ${depth}: ${JSON.stringify(found.ok || found.fault)}`;
    assert.equal(refused, expected === undefined, told);
    assert.equal(found.ok, expected !== undefined, told);
    if (!found.ok || expected === undefined) continue;
    accepted++;
    assert.equal(outline(found.value as OracleNode), outline(expected));
  }
  assert.ok(accepted > count / 20, "hardly a mutant was DER");
  assert.ok(accepted < count * 0.9, "hardly a mutant was refused");
});

test("certificates that are changed are read or refused, and what is read stands in them byte by byte", () => {
  const random = new Random(testSeed("certificates"));
  const certificates = [root.certificate.der, makeLeaf(root).der];
  let readable = 0;
  for (let i = 0; i < count / 3; i++) {
    const der = mutateDer(random.pick(certificates), random);
    const read = readCertificate(der);
    if (!read.ok) {
      assert.match(read.fault.message, /^[^\n]{5,200}$/);
      continue;
    }
    readable++;
    const { tbsDer, issuerDer, subjectDer, spkiDer, serial, extensions } = read.value;
    for (const part of [tbsDer, issuerDer, subjectDer, spkiDer, serial, ...extensions.map(({ value }) => value)])
      assert.ok(Buffer.from(der).includes(Buffer.from(part)));
    const { der: _der, outerAlgorithmDer: _outer, signature: _signature, ...body } = read.value;
    assert.deepEqual(readCertificateBody(tbsDer), { ok: true, value: body });
  }
  assert.ok(readable > count / 300, "hardly a mutant was a certificate");
});

test("a tree that nests to the limit is read, and one that goes deeper is refused", () => {
  const nested = (depth: number): Uint8Array => (depth === 1 ? integer(1) : seq(nested(depth - 1)));
  for (const depth of [1, 2, 8, 100]) {
    assert.equal(readDer(nested(depth), { sizeBytes: 1000, depth }).ok, true);
    assert.equal(readDer(nested(depth + 1), { sizeBytes: 1000, depth }).ok, false);
  }
  // Far beyond any stack: refused by counting, not by falling.
  assert.equal(readDer(Buffer.concat(Array(30_000).fill(hex("3080"))), { sizeBytes: 100_000, depth: 16 }).ok, false);
});
