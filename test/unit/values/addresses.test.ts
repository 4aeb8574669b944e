import assert from "node:assert/strict";
import { test } from "node:test";
import { parsePort } from "#policy-compiler/document/values/port";
import { parseIpAddress } from "#policy-compiler/ruleset/ip-address";
import { type CidrFault, parseCidr } from "#policy-compiler/ruleset/patterns/cidr";

const hex = (bytes: readonly number[]): string => bytes.map((byte) => byte.toString(16).padStart(2, "0")).join("");

/** Accepted texts as `<bytes in hex>/<prefix length>`, as Go's netip gives them. */
const blocks: readonly (readonly [text: string, block: string])[] = [
  ["10.1.2.3", "0a010203/32"],
  ["0.0.0.0", "00000000/32"],
  ["255.255.255.255/32", "ffffffff/32"],
  ["10.1.2.3/8", "0a000000/8"],
  ["10.255.2.3/9", "0a800000/9"],
  ["10.1.2.3/0", "00000000/0"],
  ["172.16.5.5/12", "ac100000/12"],
  ["::", `${"00".repeat(16)}/128`],
  ["::/0", `${"00".repeat(16)}/0`],
  ["::1", `${"00".repeat(15)}01/128`],
  ["1::", `0001${"00".repeat(14)}/128`],
  ["2001:DB8::68/32", `20010db8${"00".repeat(12)}/32`],
  ["2001:db8:ffff::/33", `20010db880${"00".repeat(11)}/33`],
  ["1:2:3:4:5:6:7:8", "00010002000300040005000600070008/128"],
  ["1:2:3:4:5:6:7::", "00010002000300040005000600070000/128"],
  ["::ffff:1.2.3.4", `${"00".repeat(10)}ffff01020304/128`],
  ["1:2:3:4:5:6:1.2.3.4", "00010002000300040005000601020304/128"],
  ["fe80::1%eth0", `fe80${"00".repeat(13)}01/128`],
  ["fe80::1%a%b", `fe80${"00".repeat(13)}01/128`],
];

const notBlocks: readonly (readonly [text: string, fault: CidrFault])[] = [
  ["", "address"],
  ["*", "address"],
  ["10.1.2", "address"],
  ["10.1.2.3.4", "address"],
  ["10.1.2.", "address"],
  [".1.2.3", "address"],
  ["10..2.3", "address"],
  ["10.1.2.256", "address"],
  ["010.1.2.3", "address"],
  ["00.1.2.3", "address"],
  [" 10.1.2.3", "address"],
  ["10.1.2.3:80", "address"],
  ["10.1.2.3-10.1.2.9", "address"],
  ["[::1]", "address"],
  ["::1::", "address"],
  [":::", "address"],
  [":1", "address"],
  ["1:2:3:4:5:6:7", "address"],
  ["1:2:3:4:5:6:7:8:9", "address"],
  ["1:2:3:4:5:6:7:8::", "address"],
  ["::12345", "address"],
  ["::g", "address"],
  ["1:", "address"],
  ["1:2:3:4:5:6:7:1.2.3.4", "address"],
  ["::1.2.3", "address"],
  ["%eth0", "address"],
  ["10.0.0.0/8/8", "address"],
  ["10.0.0.0%eth0", "zone"],
  ["fe80::1%", "zone"],
  ["fe80::1%eth0/64", "zone"],
  ["10.0.0.0/", "length"],
  ["10.0.0.0/08", "length"],
  ["10.0.0.0/00", "length"],
  ["10.0.0.0/+8", "length"],
  ["10.0.0.0/-1", "length"],
  ["10.0.0.0/8 ", "length"],
  ["10.0.0.0/33", "range"],
  ["::/129", "range"],
  ["::/99999999999999999999", "range"],
];

test("address blocks are read as Go's netip reads them", () => {
  for (const [text, block] of blocks) {
    const parsed = parseCidr(text);
    assert.ok(parsed.ok, text);
    assert.equal(`${hex(parsed.cidr.bytes)}/${parsed.cidr.prefixLength}`, block, text);
  }
});

test("what is no address block is refused with its reason", () => {
  for (const [text, fault] of notBlocks) assert.deepEqual(parseCidr(text), { ok: false, fault }, text);
});

test("an address of a request has no zone, port or prefix length", () => {
  assert.deepEqual(parseIpAddress("10.0.0.9"), [10, 0, 0, 9]);
  for (const text of ["fe80::1%eth0", "10.0.0.9:80", "10.0.0.0/8", "[::1]", ""]) {
    assert.equal(parseIpAddress(text), undefined, text);
  }
});

test("ports are decimal digits up to 65535", () => {
  for (const [text, port] of [
    ["0", 0],
    ["80", 80],
    ["00080", 80],
    ["65535", 65535],
    [`${"0".repeat(40)}1`, 1],
  ] as const) {
    assert.deepEqual(parsePort(text), { ok: true, port }, text);
  }
  for (const text of ["", "*", "+80", "-1", " 80", "80 ", "8_0", "0x50", "80.0", "http"]) {
    assert.deepEqual(parsePort(text), { ok: false, fault: "syntax" }, text);
  }
  for (const text of ["65536", "4294967376", "9".repeat(400)]) {
    assert.deepEqual(parsePort(text), { ok: false, fault: "range" }, text);
  }
});
