import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeName, readName, renderName } from "#ca/x509/name";
import { readPem, readPemBlocks, writePem } from "#ca/x509/pem";
import { hex, integer, oid, seq, set, text, tlv } from "#test/support/ca/der-writer";
import { name } from "#test/support/ca/make-csr";

const limits = { sizeCharacters: 10_000, blocks: 3 };
const bytes = (size: number) => Uint8Array.from({ length: size }, (_, i) => i & 255);

test("what is written is read: every remainder of lines and of base64", () => {
  for (let size = 1; size < 200; size++) {
    const pem = writePem("X Y", bytes(size));
    assert.deepEqual(readPem(pem, ["X Y"]), { ok: true, value: bytes(size) });
    const lines = pem.split("\n");
    assert.ok(
      lines.slice(1, -3).every((line) => line.length === 64),
      pem,
    );
    assert.ok(lines.at(-3)!.length <= 64 && lines.at(-3) !== "" && lines.at(-1) === "");
  }
});

test("several blocks are read in their order, with remarks between them", () => {
  const [a, b] = [bytes(1), bytes(100)];
  const joined = `subject=x\n${writePem("C", a)}remark\r\n\n${writePem("C", b)}the end`;
  assert.deepEqual(readPemBlocks(joined, "C", limits), { ok: true, value: [a, b] });
});

const block = writePem("C", bytes(10));
for (const [what, pem, message] of [
  ["none", "text", /expected -----BEGIN C/],
  ["another label among them", block + writePem("D", bytes(1)), /label C/],
  ["too many", block.repeat(4), /at most 3 blocks/],
  ["too much", block + " ".repeat(10_000), /at most 10000 characters/],
  ["one without its end", `${block}-----BEGIN C-----\n`, /expected -----END C/],
  ["one inside another", `-----BEGIN C-----\n${block}-----END C-----\n`, /expected -----END C/],
  ["one that begins in its line", `${block} -----BEGIN C-----\nAA==\n-----END C-----\n`, /begin its line/],
] as const)
  test(`blocks: ${what} is refused`, () => {
    const read = readPemBlocks(pem, "C", limits);
    assert.ok(!read.ok);
    assert.match(read.fault.message, message);
  });

test("a text of many beginnings costs no more than its length", () => {
  const hostile = "-----BEGIN C-----\n".repeat(100_000);
  assert.equal(readPem(hostile, ["C"]).ok, false);
  assert.equal(readPemBlocks(hostile, "C", { sizeCharacters: 1e7, blocks: 1e6 }).ok, false);
});

test("a name is written as UTF8String, the organization first", () => {
  assert.deepEqual(encodeName("td.example", "root 1"), name(["2.5.4.10", "td.example"], ["2.5.4.3", "root 1"]));
  assert.deepEqual(encodeName("ä".repeat(100), undefined), name(["2.5.4.10", "ä".repeat(100)]));
  assert.throws(() => encodeName("", "x"), /a name needs a text/);
});

test("a name is shown to people", () => {
  const mixed = seq(
    set(seq(oid("2.5.4.6"), text(0x13, "DE"))),
    set(seq(oid("2.5.4.10"), tlv(0x1e, hex("00e40062"))), seq(oid("2.5.4.11"), text(0x16, "a"))),
    set(seq(oid("1.2.3"), integer(1))),
    set(seq(oid("2.5.4.3"), text(0x0c, "a, CN=b\\\n\u202e"))),
  );
  assert.equal(renderName(mixed), "C=DE, O=äb, OU=a, 1.2.3=(no text), CN=a\\, CN\\=b\\\\\\u{a}\\u{202e}");
  assert.equal(renderName(seq()), "(empty)");
  assert.equal(renderName(set()), "(no name)");
  assert.equal(renderName(hex("ff")), "(no name)");
  assert.deepEqual(readName(seq(set(seq(oid("2.5.4.3"), tlv(0x0c, hex("ff")))))), {
    ok: true,
    value: [{ oid: "2.5.4.3", text: undefined }],
  });
});
