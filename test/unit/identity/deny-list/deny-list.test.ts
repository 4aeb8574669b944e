import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeDenyList } from "#identity/deny-list/decode-deny-list";
import { encodeDenyList, mostDenyListBytes } from "#identity/deny-list/encode-deny-list";
import { denyListOf, fingerprintOf } from "#test/support/deny-lists";

const bytesOf = (text: string) => new TextEncoder().encode(text);
const identity = "spiffe://cluster.local/ns/a/sa/b";

test("a list is one JSON text, and reads back as it was", () => {
  const list = denyListOf({
    certificates: [
      { fingerprint: fingerprintOf("b"), endsMillis: undefined },
      { fingerprint: fingerprintOf("a"), endsMillis: 5 },
    ],
    identities: [identity],
  });
  const text =
    `{"certificates":[["${fingerprintOf("a")}",5],["${fingerprintOf("b")}"]],"identities":["${identity}"],` +
    '"issuedMillis":1800000000000,"sequence":7,"trustDomain":"cluster.local","version":1}';
  assert.equal(new TextDecoder().decode(encodeDenyList(list)), text);
  const decoded = decodeDenyList(bytesOf(text));
  assert.ok(decoded.ok);
  assert.deepEqual(decoded.list, list);
  assert.equal(decoded.list.hasCertificate(fingerprintOf("b")), true);
  assert.equal(decoded.list.hasCertificate(fingerprintOf("c")), false);
  assert.equal(decoded.list.hasIdentity(identity), true);
  assert.equal(decoded.list.hasIdentity(`${identity}c`), false);
});

test("members are there once: of two ends the later counts, and an unknown one is the latest", () => {
  const [a, b] = [fingerprintOf("a"), fingerprintOf("b")];
  const { certificates, identities } = denyListOf({
    certificates: [
      { fingerprint: a, endsMillis: 9 },
      { fingerprint: b, endsMillis: undefined },
      { fingerprint: a, endsMillis: 5 },
      { fingerprint: b, endsMillis: 5 },
    ],
    identities: [identity, identity],
  });
  assert.deepEqual(certificates, [
    { fingerprint: a, endsMillis: 9 },
    { fingerprint: b, endsMillis: undefined },
  ]);
  assert.deepEqual(identities, [identity]);
});

/** Each is the text of a good list with one thing broken. */
const good = new TextDecoder().decode(
  encodeDenyList(
    denyListOf({ certificates: [{ fingerprint: fingerprintOf("a"), endsMillis: 5 }], identities: [identity] }),
  ),
);
const broken: readonly (readonly [what: string, find: string, by: string, fault: RegExp])[] = [
  ["cut off", "}", "", /as JSON/],
  ["followed by more", "}", "}}", /as JSON/],
  ["an empty text", good, "", /as JSON/],
  ["null", good, "null", /as JSON/],
  ["a list", good, "[]", /version/],
  ["with a blank", '"sequence":', '"sequence": ', /canonical/],
  ["with a member more", '"sequence"', '"more":1,"sequence"', /canonical/],
  ["with a member twice", '"sequence":7', '"sequence":7,"sequence":7', /canonical/],
  ["with a prototype", '"sequence"', '"__proto__":{},"sequence"', /canonical/],
  ["with an escape", '"sequence"', '"\\u0073equence"', /canonical/],
  ["with a byte order mark", "{", "\ufeff{", /as JSON/],
  ["of another version", '"version":1', '"version":2', /version/],
  ["without a version", ',"version":1', "", /version/],
  ["with a negative sequence", '"sequence":7', '"sequence":-7', /sequence/],
  ["with a negative zero", '"sequence":7', '"sequence":-0', /canonical/],
  ["with a fraction", '"sequence":7', '"sequence":7.5', /sequence/],
  ["with an exponent", '"sequence":7', '"sequence":7e0', /canonical/],
  ["with a number that is not safe", '"sequence":7', '"sequence":9007199254740992', /sequence/],
  ["without a time", '"issuedMillis":1800000000000,', "", /time/],
  ["of no trust domain", '"trustDomain":"cluster.local"', '"trustDomain":"Cluster.local"', /trust domain/],
  ["of a trust domain with a path", '"trustDomain":"cluster.local"', '"trustDomain":"cluster.local/a"', /trust domain/],
  ["with a fingerprint in upper case", "aaaa", "AAAA", /SHA-256/],
  ["with a fingerprint that is short", `"${fingerprintOf("a")}"`, '"aa"', /SHA-256/],
  ["with an end that is null", ",5]", ",null]", /SHA-256/],
  ["with an end that is text", ",5]", ',"5"]', /SHA-256/],
  ["with a third member", ",5]", ",5,6]", /canonical/],
  ["with a certificate that is no list", '[["', '["', /as JSON|SHA-256/],
  ["without certificates", `"certificates":[["${fingerprintOf("a")}",5]]`, '"certificates":{}', /SHA-256/],
  ["with an identity of another domain", identity, "spiffe://other.local/ns/a", /SPIFFE ID/],
  ["with the trust domain as an identity", identity, "spiffe://cluster.local", /SPIFFE ID/],
  ["with an identity that is none", identity, "everybody", /SPIFFE ID/],
  ["with an identity that is a number", `"${identity}"`, "1", /SPIFFE ID/],
];
for (const [what, find, by, fault] of broken) {
  test(`a list ${what} is none`, () => {
    assert.ok(good.includes(find), find);
    const decoded = decodeDenyList(bytesOf(good.replace(find, by)));
    assert.ok(!decoded.ok);
    assert.match(decoded.fault, fault);
    assert.doesNotMatch(decoded.fault, /cluster\.local|everybody/);
  });
}

test("bytes that are no UTF-8, nested without end, or too many are no list", () => {
  for (const bytes of [
    Uint8Array.of(0x22, 0xff, 0x22),
    bytesOf("[".repeat(1_000_000)),
    new Uint8Array(mostDenyListBytes + 1),
  ]) {
    assert.equal(decodeDenyList(bytes).ok, false);
  }
});

test("members out of their order are no list: it would have two texts", () => {
  const [a, b] = [fingerprintOf("a"), fingerprintOf("b")];
  const text = new TextDecoder().decode(
    encodeDenyList(denyListOf({ certificates: [a, b].map((fingerprint) => ({ fingerprint, endsMillis: 5 })) })),
  );
  assert.equal(decodeDenyList(bytesOf(text)).ok, true);
  const turned = text.replace(`["${a}",5],["${b}",5]`, `["${b}",5],["${a}",5]`);
  assert.notEqual(turned, text);
  assert.equal(decodeDenyList(bytesOf(turned)).ok, false);
});
