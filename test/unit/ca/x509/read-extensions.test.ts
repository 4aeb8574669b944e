import assert from "node:assert/strict";
import { test } from "node:test";
import type { Read } from "#ca/x509/contract";
import {
  readAlternativeNames,
  readAuthorityKeyId,
  readBasicConstraints,
  readExtendedKeyUsage,
  readKeyUsage,
  readSubjectKeyId,
} from "#ca/x509/read-extensions";
import { bool, concat, hex, integer, nothing, octets, oid, seq, set, text, tlv } from "#test/support/ca/der-writer";

/** `undefined`: must be refused. */
function table<T>(reader: (value: Uint8Array) => Read<T>, rows: readonly [string, Uint8Array, T | "refused"][]): void {
  for (const [what, value, expected] of rows)
    test(`${reader.name}: ${what}`, () => {
      const result = reader(value);
      if (expected === "refused") {
        assert.ok(!result.ok, JSON.stringify(result));
        assert.match(result.fault.message, /^[^\n]{5,120}$/);
      } else assert.deepEqual(result, { ok: true, value: expected });
    });
  for (const [what, value] of [
    ["nothing", new Uint8Array()],
    ["another type", nothing],
    ["a byte behind the end", concat(rows[0]![1], hex("00"))],
    ["an indefinite length", hex("30800000")],
    ["too much", tlv(0x30, octets(new Uint8Array(17_000)))],
  ] as const)
    test(`${reader.name}: ${what} is refused`, () => {
      assert.equal(reader(value).ok, false);
    });
}

table(readAlternativeNames, [
  [
    "three kinds in their order",
    seq(text(0x86, "spiffe://td/x"), text(0x82, "a.b"), tlv(0x87, hex("7f000001"))),
    [
      { kind: "uri", value: "spiffe://td/x" },
      { kind: "dns", value: "a.b" },
      { kind: "ip", bytes: hex("7f000001") },
    ],
  ],
  ["an address of 16 bytes", seq(tlv(0x87, new Uint8Array(16))), [{ kind: "ip", bytes: new Uint8Array(16) }]],
  ["a registered id", seq(tlv(0x88, hex("2a03"))), [{ kind: "other", tag: 0x88 }]],
  ["no name", seq(), "refused"],
  ["a SET", set(text(0x82, "a")), "refused"],
  ["an empty DNS name", seq(text(0x82, "")), "refused"],
  ["a byte beyond ASCII", seq(tlv(0x82, hex("80"))), "refused"],
  ["a name of a universal type", seq(text(0x16, "a")), "refused"],
  ["an unknown tag", seq(tlv(0x89, hex("00"))), "refused"],
]);

const all = [
  "digitalSignature",
  "nonRepudiation",
  "keyEncipherment",
  "dataEncipherment",
  "keyAgreement",
  "keyCertSign",
  "cRLSign",
  "encipherOnly",
  "decipherOnly",
] as const;
table(readKeyUsage, [
  ["digitalSignature", hex("03020780"), { names: ["digitalSignature"], minimal: true }],
  ["two", hex("030205a0"), { names: ["digitalSignature", "keyEncipherment"], minimal: true }],
  ["an authority's", hex("03020106"), { names: ["keyCertSign", "cRLSign"], minimal: true }],
  ["a zero bit at the end", hex("03020680"), { names: ["digitalSignature"], minimal: false }],
  ["eight bits for one", hex("03020080"), { names: ["digitalSignature"], minimal: false }],
  ["nine bits", hex("030307ff80"), { names: all, minimal: true }],
  ["the ninth alone", hex("0303070080"), { names: ["decipherOnly"], minimal: true }],
  ["a byte of zeros behind", hex("0303008000"), { names: ["digitalSignature"], minimal: false }],
  ["a bit without a name", hex("0303068040"), { names: ["digitalSignature"], minimal: false }],
  ["none", hex("030100"), { names: [], minimal: true }],
  ["three bytes", hex("030400800000"), "refused"],
]);

table(readExtendedKeyUsage, [
  ["server", seq(oid("1.3.6.1.5.5.7.3.1")), ["1.3.6.1.5.5.7.3.1"]],
  ["unknown ones", seq(oid("2.999.1"), oid("1.2.3")), ["2.999.1", "1.2.3"]],
  ["none", seq(), "refused"],
  ["no object identifier", seq(integer(1)), "refused"],
]);

table(readBasicConstraints, [
  ["a leaf's", seq(), { ca: false, pathLength: undefined, defaultWritten: false }],
  ["a leaf's with its default", seq(bool(false)), { ca: false, pathLength: undefined, defaultWritten: true }],
  ["an authority's", seq(bool(true)), { ca: true, pathLength: undefined, defaultWritten: false }],
  ["an issuing authority's", seq(bool(true), integer(0)), { ca: true, pathLength: 0, defaultWritten: false }],
  ["the longest path", seq(bool(true), integer(255)), { ca: true, pathLength: 255, defaultWritten: false }],
  ["a leaf's with a path", seq(integer(3)), { ca: false, pathLength: 3, defaultWritten: false }],
  ["a longer path", seq(bool(true), integer(256)), "refused"],
  ["a negative path", seq(bool(true), tlv(2, hex("ff"))), "refused"],
  ["something behind", seq(bool(true), integer(0), nothing), "refused"],
  ["the path first", seq(integer(0), bool(true)), "refused"],
]);

table(readSubjectKeyId, [
  ["an id", octets(hex("0102")), hex("0102")],
  ["none", octets(), "refused"],
  ["inside a SEQUENCE", seq(octets(hex("01"))), "refused"],
]);

table<Uint8Array | undefined>(readAuthorityKeyId, [
  ["an id", seq(tlv(0x80, hex("0102"))), hex("0102")],
  [
    "an id, issuer and serial number",
    seq(tlv(0x80, hex("01")), tlv(0xa1, [tlv(0xa4, seq())]), tlv(0x82, hex("05"))),
    hex("01"),
  ],
  ["nothing inside", seq(), undefined],
  ["issuer and serial number alone", seq(tlv(0xa1, [tlv(0xa4, seq())]), tlv(0x82, hex("05"))), undefined],
  ["an id twice", seq(tlv(0x80, hex("01")), tlv(0x80, hex("02"))), "refused"],
  ["another order", seq(tlv(0x82, hex("05")), tlv(0x80, hex("01"))), "refused"],
  ["an unknown tag", seq(tlv(0x83, hex("01"))), "refused"],
]);
