import assert from "node:assert/strict";
import { generateKeyPairSync, sign } from "node:crypto";
import { test } from "node:test";
import type { CsrRefusal } from "#ca/csr/contract";
import { KeyPolicy } from "#ca/csr/key-policy";
import { parseCsr } from "#ca/csr/parse-csr";
import { proveCsr } from "#ca/csr/prove-csr";
import { bits, concat, hex, integer, nothing, octets, oid, seq, set, text, tlv } from "#test/support/ca/der-writer";
import {
  type CsrChanges,
  ecSpki,
  extensionDer,
  extensionRequest,
  makeCsr,
  name,
  pemOf,
  pointOf,
  rsaSpki,
  sanExtension,
  sanOid,
  uriName,
  workloadKey,
} from "#test/support/ca/make-csr";

const policy = new KeyPolicy({ blockedKeys: new Set(), rememberedKeys: 100 });

function refusalOf(pem: string): { readonly code: CsrRefusal; readonly message: string } {
  const parsed = parseCsr(pem);
  const result = parsed.ok ? proveCsr(parsed.csr, policy) : parsed;
  assert.ok(!result.ok, "it was accepted");
  return result.fault;
}

const p256 = workloadKey("P-256");
const rsa = workloadKey("RSA-2048");
const good = makeCsr(p256);
const pem = pemOf(good);

interface Case {
  readonly code: CsrRefusal;
  readonly message: RegExp;
}

function refused(what: string, sent: string, { code, message }: Case): void {
  test(`${what}: ${code}`, () => {
    const fault = refusalOf(sent);
    assert.equal(fault.code, code);
    assert.match(fault.message, message);
  });
}

/** Texts that are no PEM of one request. */
const texts: readonly [string, string, RegExp][] = [
  ["nothing", "", /expected -----BEGIN/],
  ["no PEM", "hello", /expected -----BEGIN/],
  ["another label", pem.replaceAll("CERTIFICATE REQUEST", "CERTIFICATE"), /label/],
  ["another label at the end", pem.replace("END CERTIFICATE REQUEST", "END CERTIFICATE"), /expected -----END/],
  ["two blocks", pem + pem, /nothing behind/],
  ["text before", `Certificate Request:\n${pem}`, /nothing before/],
  ["text behind", `${pem}x`, /nothing behind/],
  ["text on the last line", pem.replace(/-----\n$/, "-----x"), /line break behind/],
  ["a begin in the middle of a line", ` ${pem}`, /begin its line/],
  ["a header", pem.replace("-----\n", "-----\nProc-Type: 4,ENCRYPTED\n\n"), /base64/],
  ["no line break behind the label", pem.replace("-----\n", "-----"), /lines of base64/],
  ["base64 of URLs", pemOf(hex("fbff")).replace("+/8=", "-_8="), /base64/],
  ["no padding", pemOf(hex("3000")).replace("=", ""), /base64/],
  ["bits behind the end", pemOf(hex("3000")).replace("MAA=", "MAB="), /base64/],
  ["blanks in lines", pem.replace("MII", "M II"), /base64/],
  ["an empty block", pemOf(new Uint8Array()), /base64/],
  ["no end", pem.slice(0, 200), /expected -----END/],
];
for (const [what, sent, message] of texts) refused(what, sent, { code: "csr/pem", message });

refused("16 KiB of PEM", `${pem}${" ".repeat(16 * 1024)}`, { code: "csr/too-large", message: /at most 16384/ });
refused("8 KiB of DER", pemOf(tlv(0x30, new Uint8Array(8200))), { code: "csr/too-large", message: /at most 8192/ });

const [signed, algorithm, signature] = ((): [Uint8Array, Uint8Array, Uint8Array] => {
  const parsed = parseCsr(pem);
  assert.ok(parsed.ok);
  const { signedDer, signature: bytes } = parsed.csr;
  return [signedDer, parsed.csr.algorithm.der, bits(bytes)];
})();
const signedContent = signed.subarray(3);
const indefinite = concat(hex("3080"), signedContent, hex("0000"));
/** As the attributes would be, with one wrong byte of DER inside. */
const inside = (der: Uint8Array) => makeCsr(p256, { attributes: [seq(oid("1.2.3"), set(der))] });

/** Bytes that are no DER. */
const bytes: readonly [string, Uint8Array, RegExp][] = [
  ["a byte behind the end", concat(good, hex("00")), /bytes follow the end/],
  ["a second element behind the end", concat(good, nothing), /bytes follow the end/],
  ["a cut", good.subarray(0, good.length - 1), /longer than what it is in/],
  ["an empty block of one byte", hex("30"), /expected a length/],
  ["an indefinite length", concat(hex("3080"), indefinite, algorithm, signature, hex("0000")), /definite/],
  ["a length of more bytes than needed", tlv(0x30, [signed, algorithm, signature], 3), /minimal/],
  ["a short length written long", inside(tlv(0x04, hex("00"), 1)), /minimal/],
  ["a length of four bytes", tlv(0x30, [signed, algorithm, signature], 4), /too large/],
  ["a length that is cut off", hex("3082"), /cut off/],
  ["a version with a zero before", makeCsr(p256, { version: tlv(2, hex("0000")) }), /INTEGER must be minimal/],
  ["a negative number with ff before", inside(hex("0202ff80")), /INTEGER must be minimal/],
  ["a version without content", makeCsr(p256, { version: tlv(2, hex("")) }), /INTEGER must be minimal/],
  ["a BOOLEAN of 01", inside(hex("010101")), /BOOLEAN/],
  ["a BOOLEAN of two bytes", inside(hex("0102ffff")), /BOOLEAN/],
  ["a NULL with content", inside(hex("050100")), /NULL/],
  ["an arc with a zero before", inside(hex("06032a8001")), /minimal/],
  ["an arc that is cut off", inside(hex("06022a81")), /cut off/],
  ["an object identifier without content", inside(hex("0600")), /cut off/],
  ["an arc of 2^53", inside(tlv(6, concat(hex("2a"), hex("9080808080808000")))), /2\^53/],
  ["unused bits that are set", inside(hex("03020101")), /unused bits/],
  ["eight unused bits", inside(hex("03020800")), /unused bits/],
  ["unused bits of nothing", inside(hex("030101")), /unused bits/],
  ["a BIT STRING without content", inside(hex("0300")), /unused bits/],
  ["a constructed OCTET STRING", inside(tlv(0x24, octets(hex("00")))), /only SEQUENCE and SET/],
  ["a primitive SEQUENCE", inside(tlv(0x10, hex("00"))), /must be constructed/],
  ["a tag of several bytes", inside(hex("1f2000")), /tags above 30/],
  ["an end-of-contents", inside(hex("0000")), /type 0/],
  ["a REAL", inside(hex("090100")), /type 9/],
  ["half a character of BMPString", inside(hex("1e0100")), /BMPString/],
  ["half a character of UniversalString", inside(hex("1c020000")), /UniversalString/],
  ["elements deeper than eight", inside(seq(seq(seq(seq(nothing))))), /deeper than 8/],
];
for (const [what, der, message] of bytes) refused(what, pemOf(der), { code: "csr/der", message });

const san = sanExtension(uriName("spiffe://td/x"));
const asking = (...extensions: readonly Uint8Array[]): CsrChanges => ({
  attributes: [extensionRequest(...extensions)],
});
const attribute = seq(oid("1.2.3"), set(nothing));

/** What is DER and no request as RFC 2986 has it. */
const shapes: readonly [string, CsrChanges, RegExp][] = [
  ["version 1", { version: integer(1) }, /version 0/],
  ["a version of another type", { version: nothing }, /version 0/],
  ["no attributes at all", { attributesDer: new Uint8Array() }, /PKCS #10/],
  ["attributes under another tag", { attributesDer: tlv(0xa1, []) }, /expected attributes/],
  ["a SET of attributes", { attributesDer: set() }, /expected attributes/],
  ["something behind the attributes", { more: nothing }, /PKCS #10/],
  ["a subject that is no name", { subject: set() }, /expected a name/],
  ["an empty SET in the subject", { subject: seq(set()) }, /SET in a name/],
  ["a subject of a type alone", { subject: seq(set(seq(oid("2.5.4.3")))) }, /type and value/],
  ["a key of another type", { spkiDer: set() }, /SubjectPublicKeyInfo/],
  ["an algorithm of another type", { algorithmDer: nothing }, /algorithm/],
  ["a signature of another type", { signatureDer: octets(hex("00")) }, /expected a signature/],
  ["a signature with unused bits", { signatureDer: hex("03020180") }, /expected a signature/],
  ["the same attribute twice", { attributes: [attribute, attribute] }, /1\.2\.3 stands there twice/],
  ["extensions asked for twice", { attributes: [extensionRequest(san), extensionRequest(san)] }, /twice/],
  ["an attribute without a value", { attributes: [seq(oid("1.2.3"), set())] }, /no value/],
  ["an attribute of a type alone", { attributes: [seq(oid("1.2.3"))] }, /expected an attribute/],
  ["two lists of extensions", { attributes: [seq(oid("1.2.840.113549.1.9.14"), set(seq(san), seq(san)))] }, /one list/],
  ["an empty list of extensions", asking(), /list of extensions/],
  ["the same extension twice", asking(san, san), /2\.5\.29\.17 stands there twice/],
  ["a criticality that is the default", asking(seq(sanOid, hex("010100"), octets(seq(uriName("a:b"))))), /default/],
  ["an extension without a value", asking(seq(sanOid)), /expected an extension/],
  ["an extension with something behind", asking(seq(sanOid, octets(seq(uriName("a:b"))), nothing)), /nothing behind/],
  ["no alternative name", asking(extensionDer(sanOid, true, seq())), /at least one name/],
  ["alternative names that are no DER", asking(extensionDer(sanOid, true, hex("3001"))), /longer/],
  ["a name of an unknown tag", asking(sanExtension(text(0x8f, "x"))), /general name/],
  ["a constructed URI", asking(sanExtension(tlv(0xa6, text(0x16, "a:b")))), /general name/],
  ["an empty URI", asking(sanExtension(uriName(""))), /empty uri/],
  ["a URI beyond ASCII", asking(sanExtension(uriName("spiffe://td/ä"))), /ASCII/],
  ["a URI of 2049 bytes", asking(sanExtension(uriName("a".repeat(2049)))), /2048/],
  ["an address of five bytes", asking(sanExtension(tlv(0x87, hex("0a00000100")))), /found 5/],
];
for (const [what, changes, message] of shapes)
  refused(what, pemOf(makeCsr(p256, changes)), { code: "csr/shape", message });

refused("a lone SEQUENCE", pemOf(seq()), { code: "csr/shape", message: /PKCS #10/ });
refused("a request inside a SET", pemOf(set(signed, algorithm, signature)), { code: "csr/shape", message: /PKCS #10/ });
refused("a fourth element", pemOf(seq(signed, algorithm, signature, nothing)), {
  code: "csr/shape",
  message: /PKCS #10/,
});

const point = pointOf(p256);
const compressed = concat(Uint8Array.of(2 + (point[64]! & 1)), point.subarray(1, 33));
const hybrid = concat(Uint8Array.of(6 + (point[64]! & 1)), point.subarray(1));
const explicitCurve = generateKeyPairSync("ec", { namedCurve: "P-256", paramEncoding: "explicit" });
const pss = generateKeyPairSync("rsa-pss", { modulusLength: 2048 });
const der = (key: { export(o: { type: "spki"; format: "der" }): Buffer }) =>
  new Uint8Array(key.export({ type: "spki", format: "der" }));
const offCurve = concat(point.subarray(0, 64), Uint8Array.of(point[64]! ^ 1));
const modulus = (kind: string): bigint => {
  const key = workloadKey(kind);
  const jwk = key.privateKey.export({ format: "jwk" }) as { n: string };
  return BigInt(`0x${Buffer.from(jwk.n, "base64url").toString("hex")}`);
};
const n = modulus("RSA-2048");

/** Keys that never reach OpenSSL, and points that it refuses. */
const keys: readonly [string, Uint8Array, RegExp][] = [
  ["the point at infinity", ecSpki("P-256", hex("00")), /five kinds/],
  ["the point at infinity, filled up", ecSpki("P-256", new Uint8Array(65)), /five kinds/],
  ["a compressed point", ecSpki("P-256", compressed), /five kinds/],
  ["a hybrid point", ecSpki("P-256", hybrid), /five kinds/],
  ["a curve in explicit parameters", der(explicitCurve.publicKey), /1\.2\.840\.10045\.2\.1 with parameters/],
  ["another curve", der(generateKeyPairSync("ec", { namedCurve: "secp256k1" }).publicKey), /five kinds/],
  ["P-521", der(generateKeyPairSync("ec", { namedCurve: "P-521" }).publicKey), /five kinds/],
  ["Ed25519", der(generateKeyPairSync("ed25519").publicKey), /1\.3\.101\.112$/],
  ["X25519", der(generateKeyPairSync("x25519").publicKey), /1\.3\.101\.110$/],
  ["RSASSA-PSS", der(pss.publicKey), /1\.2\.840\.113549\.1\.1\.10/],
  ["no key", seq(), /no algorithm/],
  ["a point off its curve", ecSpki("P-256", offCurve), /point on the curve P-256/],
  ["a coordinate beyond the field", ecSpki("P-256", concat(hex("04"), new Uint8Array(64).fill(0xff))), /point on/],
  ["the point (0, 0)", ecSpki("P-256", concat(hex("04"), new Uint8Array(64))), /point on the curve/],
  ["a point of P-384 off its curve", ecSpki("P-384", concat(hex("04"), new Uint8Array(96).fill(1))), /P-384/],
  ["something behind the key", tlv(0x30, [p256.spkiDer.subarray(2), nothing]), /five kinds/],
  ["e = 1", rsaSpki(n, 1), /five kinds/],
  ["e = 3", rsaSpki(n, 3), /five kinds/],
  ["e = 65536", rsaSpki(n, 65536), /five kinds/],
  ["e = 65539", rsaSpki(n, 65539), /five kinds/],
  ["e of 2047 bits", rsaSpki(n, n >> 1n), /five kinds/],
  ["an even modulus", rsaSpki(n + 1n, 65537), /five kinds/],
  ["a modulus of 1024 bits", rsaSpki(modulus("RSA-1024"), 65537), /five kinds/],
  ["a modulus of 2047 bits", rsaSpki((n >> 1n) | 1n, 65537), /five kinds/],
  ["a modulus of 2049 bits", rsaSpki((n << 1n) | 1n, 65537), /five kinds/],
  [
    "a negative modulus",
    seq(seq(oid("1.2.840.113549.1.1.1"), nothing), bits(seq(tlv(2, hex(n.toString(16))), integer(65537)))),
    /five kinds/,
  ],
  [
    "RSA without parameters",
    seq(seq(oid("1.2.840.113549.1.1.1")), bits(seq(integer(n), integer(65537)))),
    /five kinds/,
  ],
];
for (const [what, spkiDer, message] of keys) {
  const key = what.includes("e =") || what.includes("modulus") ? rsa : p256;
  refused(what, pemOf(makeCsr(key, { spkiDer })), { code: "key/kind", message });
}

const unfit: readonly [string, Uint8Array, RegExp][] = [
  ["ECDSA with SHA-1", makeCsr(p256, { algorithm: "ecdsa-sha1" }), /1\.2\.840\.10045\.4\.1$/],
  ["ECDSA with SHA-512", makeCsr(p256, { algorithm: "ecdsa-sha512" }), /P-256 key/],
  ["ECDSA with parameters", makeCsr(p256, { algorithm: "ecdsa-sha256-null" }), /with parameters/],
  ["RSA with SHA-1", makeCsr(rsa, { algorithm: "rsa-sha1" }), /RSA-2048 key/],
  ["RSA without parameters", makeCsr(rsa, { algorithm: "rsa-sha256-no-null" }), /RSA-2048 key/],
  ["RSASSA-PSS", makeCsr(rsa, { algorithm: "rsa-pss" }), /1\.2\.840\.113549\.1\.1\.10/],
  ["an RSA algorithm of an elliptic key", makeCsr(p256, { algorithm: "rsa-sha256" }), /P-256 key/],
  ["ECDSA of an RSA key", makeCsr(rsa, { algorithm: "ecdsa-sha256" }), /RSA-2048 key/],
  ["Ed25519 of an elliptic key", makeCsr(p256, { algorithm: "ed25519" }), /P-256 key/],
  ["no algorithm", makeCsr(p256, { algorithmDer: seq() }), /no algorithm/],
];
for (const [what, csr, message] of unfit) refused(what, pemOf(csr), { code: "csr/signature-algorithm", message });

const stranger = generateKeyPairSync("ec", { namedCurve: "P-256" });
const badSignatures: readonly [string, Uint8Array][] = [
  ["another key's signature", makeCsr({ ...p256, privateKey: stranger.privateKey })],
  ["another key in the request", makeCsr(p256, { spkiDer: der(stranger.publicKey) })],
  ["another digest than is said", makeCsr(p256, { signature: sign("sha384", signed, p256.privateKey) })],
  ["a signature without content", makeCsr(p256, { signature: new Uint8Array() })],
  ["a signature of zeros", makeCsr(p256, { signature: seq(integer(0), integer(0)) })],
  ["a signature that is no DER", makeCsr(p256, { signature: new Uint8Array(64).fill(7) })],
  ["an RSA signature of zeros", makeCsr(rsa, { signature: new Uint8Array(256) })],
  ["an RSA signature that is too short", makeCsr(rsa, { signature: new Uint8Array(128).fill(1) })],
  ["a byte behind the signature", seq(signed, algorithm, bits(concat(signature.subarray(3), hex("00"))))],
  ["other names than were signed", seq(concat(signed.subarray(0, -1), hex("6f")), algorithm, signature)],
];
for (const [what, csr] of badSignatures)
  refused(what, pemOf(csr), { code: "csr/signature", message: /by its own key does not verify/ });

test("the first fault decides: a request that is wrong in two ways tells the earlier step", () => {
  const both = makeCsr(p256, { spkiDer: seq(), algorithm: "rsa-pss", version: integer(7), subject: name() });
  assert.equal(refusalOf(pemOf(both)).code, "csr/shape");
  const later = makeCsr(p256, { spkiDer: seq(), algorithm: "rsa-pss" });
  assert.equal(refusalOf(pemOf(later)).code, "key/kind");
});
