import assert from "node:assert/strict";
import { test } from "node:test";
import { parseMetadataValue } from "#policy-compiler/document/values/metadata-value";
import { parseNamespacePattern, parsePrincipal } from "#policy-compiler/document/values/principal";
import { parseRequestPrincipal } from "#policy-compiler/document/values/request-principal";
import { serviceAccountFault, splitServiceAccount } from "#policy-compiler/document/values/service-account";
import { parseHostPattern, parseTextPattern } from "#policy-compiler/document/values/text-pattern";
import { parseTrustDomainPattern } from "#policy-compiler/document/values/trust-domain";

const present = { op: "present" };
const exact = (text: string) => ({ op: "exact", text });
const prefix = (text: string) => ({ op: "prefix", text });
const suffix = (text: string) => ({ op: "suffix", text });

test("the four-way pattern decides by the first that fits", () => {
  const table: readonly (readonly [string, unknown])[] = [
    ["*", present],
    ["**", suffix("*")],
    ["*a", suffix("a")],
    ["*a*", suffix("a*")],
    ["a*", prefix("a")],
    ["a**", prefix("a*")],
    ["a*b", exact("a*b")],
    ["", exact("")],
    ["A", exact("A")],
    ["ä*", prefix("\u00c3\u00a4")],
    ["*\u{1f600}", suffix("\u00f0\u009f\u0098\u0080")],
  ];
  for (const [text, expected] of table) assert.deepEqual(parseTextPattern(text), expected, text);
});

test("hosts fold ASCII letters and no others", () => {
  assert.deepEqual(parseHostPattern("EXAMPLE.Com:80"), exact("example.com:80"));
  assert.deepEqual(parseHostPattern("*.Example.COM"), suffix(".example.com"));
  assert.deepEqual(parseHostPattern("\u00c4"), exact("\u00c3\u0084"));
  assert.deepEqual(parseHostPattern("*"), present);
});

test("principals get their scheme, also a second one", () => {
  const table: readonly (readonly [string, unknown])[] = [
    ["*", present],
    ["td/ns/a/sa/b", exact("spiffe://td/ns/a/sa/b")],
    ["td/ns/a/*", prefix("spiffe://td/ns/a/")],
    ["*/sa/b", suffix("/sa/b")],
    ["td/ns/*/sa/b", exact("spiffe://td/ns/*/sa/b")],
    ["spiffe://td/ns/a/sa/b", exact("spiffe://spiffe://td/ns/a/sa/b")],
  ];
  for (const [text, test] of table) assert.deepEqual(parsePrincipal(text), { kind: "principal", test }, text);
});

test("stars of a namespace stand anywhere", () => {
  const pieces = (text: string) => parseNamespacePattern(text);
  assert.deepEqual(pieces("foo"), { kind: "namespace", pieces: ["foo"] });
  assert.deepEqual(pieces("*"), { kind: "namespace", pieces: ["", ""] });
  assert.deepEqual(pieces("a*b*c"), { kind: "namespace", pieces: ["a", "b", "c"] });
  assert.deepEqual(pieces("**"), { kind: "namespace", pieces: ["", "", ""] });
  assert.deepEqual(pieces("f.o"), { kind: "namespace", pieces: ["f.o"] });
});

test("service accounts are cut at the first slash and default to the policy's namespace", () => {
  assert.deepEqual(splitServiceAccount("b", "foo"), { namespace: "foo", name: "b" });
  assert.deepEqual(splitServiceAccount("a/b", "foo"), { namespace: "a", name: "b" });
  assert.deepEqual(splitServiceAccount("a/b/c", "foo"), { namespace: "a", name: "b/c" });
  for (const [text, fault] of [
    ["b", undefined],
    ["a/b", undefined],
    ["a".repeat(320), undefined],
    ["a".repeat(321), "length"],
    ["\u00e4".repeat(161), "length"],
    ["", "empty"],
    ["*", "star"],
    ["a/b*", "star"],
    ["a/b/c", "slashes"],
    ["/b", "empty-namespace"],
    ["a/", "empty-name"],
  ] as const) {
    assert.equal(serviceAccountFault(text), fault, text);
  }
});

test("trust domains take one star, at an end", () => {
  const test = (rest: object) => ({ ok: true, test: { kind: "trustDomain", ...rest } });
  const table: readonly (readonly [string, unknown])[] = [
    ["td1", test({ op: "exact", text: "td1" })],
    ["*", test({ op: "any" })],
    ["*.td", test({ op: "star", before: "", after: ".td" })],
    ["td*", test({ op: "star", before: "td", after: "" })],
    ["t*d", { ok: false, fault: "inner-star" }],
    ["*td*", { ok: false, fault: "stars" }],
    ["**", { ok: false, fault: "stars" }],
    ["td/x", { ok: false, fault: "slash" }],
  ];
  for (const [text, expected] of table) assert.deepEqual(parseTrustDomainPattern(text, "refused"), expected, text);
  assert.deepEqual(parseTrustDomainPattern("td/x", "tolerated"), test({ op: "exact", text: "td/x" }));
});

test("request principals are two tests, cut at the last slash", () => {
  const table: readonly (readonly [string, unknown, unknown])[] = [
    ["*", present, present],
    ["*/s", present, exact("s")],
    ["*/*", present, exact("*")],
    ["*i/s*", suffix("i"), exact("s*")],
    ["**/s", suffix("*"), exact("s")],
    ["*s", present, suffix("s")],
    ["**", present, suffix("*")],
    ["i/*", exact("i"), present],
    ["i/s*", exact("i"), prefix("s")],
    ["i*", prefix("i"), present],
    ["https://acc.google.com*", exact("https:/"), prefix("acc.google.com")],
    ["https://i/s", exact("https://i"), exact("s")],
    ["i/a/b", exact("i/a"), exact("b")],
    ["i", exact("i"), exact("")],
    ["/s", exact(""), exact("s")],
    ["i/", exact("i"), exact("")],
  ];
  for (const [text, iss, sub] of table) {
    assert.deepEqual(parseRequestPrincipal(text), { kind: "requestPrincipal", iss, sub }, text);
  }
});

test("metadata values in brackets ask for an element of a list", () => {
  const table: readonly (readonly [string, boolean, unknown])[] = [
    ["v", false, exact("v")],
    ["v*", false, prefix("v")],
    ["[v]", true, exact("v")],
    ["[*]", true, present],
    ["[*v]", true, suffix("v")],
    ["[[v]]", true, exact("v")],
    ["[]", true, exact("")],
    ["[v", false, exact("[v")],
    ["v]", false, exact("v]")],
    ["[", false, exact("[")],
  ];
  for (const [text, list, test] of table) {
    assert.deepEqual(parseMetadataValue(text), { kind: "metadata", list, test }, text);
  }
});
