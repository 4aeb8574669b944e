import assert from "node:assert/strict";
import { test } from "node:test";
import { isOpenpgpSignature } from "#authz/rulesets/git/is-openpgp-signature";

/** RFC 9580 §6.2. */
function armor(bytes: Uint8Array, headers = "", end = ""): string {
  const lines =
    Buffer.from(bytes)
      .toString("base64")
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN PGP SIGNATURE-----\n${headers}\n${lines.join("\n")}\n${end}-----END PGP SIGNATURE-----`;
}

const body = (length: number) => new Uint8Array(length).fill(7);
const of = (first: number, length: readonly number[], bytes: Uint8Array) => Buffer.from([first, ...length, ...bytes]);

/** RFC 9580 §4.2: one signature in every form that a length has. */
const signatures: readonly (readonly [string, Uint8Array])[] = [
  ["one octet", of(0xc2, [191], body(191))],
  ["two octets", of(0xc2, [192, 8], body(200))],
  ["most of two octets", of(0xc2, [223, 255], body(8383))],
  ["five octets", of(0xc2, [255, 0, 0, 0x20, 0xc0], body(8384))],
  ["the form of before, one octet", of(0x88, [117], body(117))],
  ["the form of before, two octets", of(0x89, [1, 51], body(307))],
  ["the form of before, four octets", of(0x8a, [0, 0, 1, 51], body(307))],
];

test("signatures are taken, in every form of their length, alone and after each other", () => {
  for (const [what, bytes] of signatures) {
    assert.ok(isOpenpgpSignature(armor(bytes)), what);
    assert.ok(isOpenpgpSignature(armor(Buffer.concat([bytes, ...signatures.map(([, its]) => its)]))), what);
    for (const cut of [bytes.subarray(0, -1), Buffer.concat([bytes, Buffer.of(0)]), bytes.subarray(0, 1)])
      assert.ok(!isOpenpgpSignature(armor(cut)), what);
  }
});

test("a signature is taken out of the armor that programs give it, and out of no other", () => {
  const [[, bytes]] = signatures as [readonly [string, Uint8Array]];
  for (const text of [
    armor(bytes, "Version: GnuPG v2\nComment: https://example.org/\n"),
    armor(bytes, "Comment: \nCharset:\n"),
    armor(bytes, "", "=abcd\n"),
    `${armor(bytes)}\n\n`,
    armor(bytes).replaceAll("\n", "\r\n"),
  ]) {
    assert.ok(isOpenpgpSignature(text), text);
  }
  for (const text of [
    "",
    "-----BEGIN PGP SIGNATURE-----",
    armor(new Uint8Array()),
    armor(bytes).replaceAll("SIGNATURE", "MESSAGE"),
    `x\n${armor(bytes)}`,
    `${armor(bytes)}\n${armor(bytes)}`,
    armor(bytes, "no header\n"),
    armor(bytes).replace("\n\n", "\n"),
    armor(bytes).replace(/\n-----END/, "=\n=\n-----END"),
    armor(bytes).replace("w", "*"),
  ]) {
    assert.ok(!isOpenpgpSignature(text), text);
  }
});

test("every other packet, and one that does not say how long it is, is refused before and after a signature", () => {
  const [[, signature]] = signatures as [readonly [string, Uint8Array]];
  const others = [
    ...Array.from({ length: 64 }, (_, type) => of(0xc0 | type, [2], body(2))).filter((_, type) => type !== 2),
    ...Array.from({ length: 16 }, (_, type) => of(0x80 | (type << 2), [2], body(2))).filter((_, type) => type !== 2),
    of(0xc2, [224], body(1)),
    of(0x8b, [], body(2)),
    of(0x02, [2], body(2)),
  ];
  for (const other of others) {
    for (const bytes of [other, Buffer.concat([signature, other]), Buffer.concat([other, signature])])
      assert.ok(!isOpenpgpSignature(armor(bytes)), bytes.toString("hex"));
  }
});

test("it is told in time, however it is made", () => {
  const begun = performance.now();
  for (const text of ["\n", " ", "A", "=", "-----BEGIN PGP SIGNATURE-----\n\n", "A: b\n", "wgA="].map((one) =>
    one.repeat(200_000),
  ))
    isOpenpgpSignature(`-----BEGIN PGP SIGNATURE-----\n\n${text}\n-----END PGP SIGNATURE-----`);
  assert.ok(performance.now() - begun < 5_000);
});
