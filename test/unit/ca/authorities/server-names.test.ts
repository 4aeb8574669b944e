import assert from "node:assert/strict";
import { test } from "node:test";
import { parseServerNames } from "#ca/authorities/server-names";
import { CodedError } from "#platform/coded-error";

test("server names are sorted into DNS names and addresses, each once", () => {
  const names = parseServerNames([
    "istiod.istio-system.svc",
    "CA.Example.org",
    "127.0.0.1",
    "localhost",
    "::1",
    "ca.example.org",
    "0:0:0:0:0:0:0:1",
    "2001:db8::7",
    "127.0.0.1",
    "xn--bcher-kva.example",
  ]);
  assert.deepEqual(names.dnsNames, ["istiod.istio-system.svc", "ca.example.org", "localhost", "xn--bcher-kva.example"]);
  assert.deepEqual(
    names.ipAddresses.map((bytes) => Buffer.from(bytes).toString("hex")),
    ["7f000001", "00000000000000000000000000000001", "20010db8000000000000000000000007"],
  );
});

const refused = [
  "",
  " ",
  "*.example.org",
  "example.org.",
  ".example.org",
  "a..b",
  "-a.example",
  "a-.example",
  "bücher.example",
  "a b",
  "a_b",
  "ca.example.org:15012",
  "https://ca.example.org",
  "[::1]",
  "fe80::1%eth0",
  "1.2.3",
  "256.1.1.1",
  "127.0.0.01",
  `${"a".repeat(64)}.example`,
  `${"abc.".repeat(63)}abc`,
  "a\0b",
  "a\nb",
];

for (const text of refused)
  test(`no server name: ${JSON.stringify(text).slice(0, 40)}`, () => {
    assert.throws(
      () => parseServerNames(["ok.example", text]),
      (fault) => fault instanceof CodedError && fault.code === "ca-server/names",
    );
  });

test("no names at all are refused", () => {
  assert.throws(
    () => parseServerNames([]),
    (fault) => fault instanceof CodedError && fault.code === "ca-server/names",
  );
});
