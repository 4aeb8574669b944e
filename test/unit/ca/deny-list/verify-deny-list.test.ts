import assert from "node:assert/strict";
import { sign } from "node:crypto";
import { test } from "node:test";
import { decodeSignedDenyList, mostSignedBytes } from "#ca/deny-list/decode-signed";
import { encodeSignedDenyList } from "#ca/deny-list/encode-signed";
import { type DenyListSigner, signDenyList } from "#ca/deny-list/sign-deny-list";
import { signedBytes } from "#ca/deny-list/signed-bytes";
import { type DenyListQuestion, verifyDenyList } from "#ca/deny-list/verify-deny-list";
import { encodeDenyList } from "#identity/deny-list/encode-deny-list";
import { makeSigner } from "#test/support/ca/deny-list-signer";
import { keyPair, makeAuthority } from "#test/support/ca/make-certificate";
import { denyListOf, fingerprintOf } from "#test/support/deny-lists";
import { Random, testSeed } from "#test/support/random";

const root = makeAuthority({ kind: "P-256", profile: "root" });
const issuing = makeAuthority({ kind: "P-256", profile: "issuing", issuer: root });
const strangers = makeAuthority({ kind: "P-384", profile: "root" });
const signer = makeSigner(issuing);
const nowMillis = Date.now();
const hour = 3_600_000;

const list = denyListOf({
  issuedMillis: nowMillis,
  certificates: [{ fingerprint: fingerprintOf("a"), endsMillis: nowMillis }],
  identities: ["spiffe://cluster.local/ns/a/sa/b"],
});
const question: DenyListQuestion = {
  trustDomain: "cluster.local",
  anchors: [root.certificate],
  heldSequence: undefined,
  asOf: { nowMillis },
};
const verified = (bytes: Uint8Array, change: Partial<DenyListQuestion> = {}) => {
  const answer = verifyDenyList(bytes, { ...question, ...change });
  return answer.ok ? answer.list : answer.code;
};

test("a list that the authority signed is taken, as it was signed", () => {
  assert.deepEqual(verified(signDenyList(list, signer)), list);
});

test("a list with the sequence of the one in force is taken, a later one too, and an older one is not", () => {
  const bytes = signDenyList(list, signer);
  assert.deepEqual(verified(bytes, { heldSequence: list.sequence }), list);
  assert.deepEqual(verified(bytes, { heldSequence: list.sequence - 1 }), list);
  assert.equal(verified(bytes, { heldSequence: list.sequence + 1 }), "deny-list/older");
});

test("the signer's chain must be valid now; of a list from a disk, when it was issued", () => {
  const bytes = signDenyList(list, signer);
  assert.equal(verified(bytes, { asOf: { nowMillis: nowMillis + 2 * hour } }), "deny-list/signer");
  assert.equal(verified(bytes, { asOf: { nowMillis: nowMillis - hour } }), "deny-list/signer");
  assert.deepEqual(verified(bytes, { asOf: "issue" }), list);
  const late = signDenyList(denyListOf({ issuedMillis: nowMillis + 2 * hour }), signer);
  assert.equal(verified(late, { asOf: "issue" }), "deny-list/signer");
});

test("a list of another trust domain is none of ours, whoever signed it", () => {
  const other = denyListOf({ trustDomain: "other.local" });
  assert.equal(verified(signDenyList(other, signer)), "deny-list/other-domain");
  assert.equal(verified(signDenyList(list, signer), { trustDomain: "other.local" }), "deny-list/other-domain");
});

const wrongSigners: readonly (readonly [what: string, signer: DenyListSigner, code: string])[] = [
  ["a workload", makeSigner(issuing, { uri: "spiffe://cluster.local/ns/a/sa/b" }), "deny-list/signer"],
  ["the authority's doors", makeSigner(issuing, { uri: "spiffe://cluster.local/garita/ca" }), "deny-list/signer"],
  ["a name below", makeSigner(issuing, { uri: "spiffe://cluster.local/garita/deny-list/x" }), "deny-list/signer"],
  [
    "the same name elsewhere",
    makeSigner(issuing, { uri: "spiffe://other.local/garita/deny-list" }),
    "deny-list/signer",
  ],
  ["an authority of strangers", makeSigner(strangers), "deny-list/signer"],
  ["one whose time is over", makeSigner(issuing, { notAfterMillis: nowMillis - 1000 }), "deny-list/signer"],
  ["one whose time is to come", makeSigner(issuing, { notBeforeMillis: nowMillis + hour / 2 }), "deny-list/signer"],
  ["nobody", { ...signer, chainDer: [] }, "deny-list/signer"],
  ["one without its issuer", { ...signer, chainDer: signer.chainDer.slice(0, 1) }, "deny-list/signer"],
  ["an authority itself", { privateKey: issuing.privateKey, chainDer: [issuing.certificate.der] }, "deny-list/signer"],
  ["another key", makeSigner(issuing, { key: keyPair("P-256", "thief").privateKey }), "deny-list/signature"],
  ["a key of another kind", makeSigner(issuing, { kind: "P-384" }), "deny-list/signature"],
];
for (const [what, wrong, code] of wrongSigners) {
  test(`a list signed by ${what} is refused`, () => {
    assert.equal(verified(signDenyList(list, wrong)), code);
  });
}

test("what was signed for something else is no signature of a list", () => {
  const payload = encodeDenyList(list);
  const key = { key: signer.privateKey, dsaEncoding: "ieee-p1363" } as const;
  const bare = sign("sha256", payload, key);
  const der = sign("sha256", signedBytes(payload), signer.privateKey);
  for (const signature of [bare, der, new Uint8Array(64), new Uint8Array(0)]) {
    assert.equal(
      verified(encodeSignedDenyList({ payload, signature, chainDer: signer.chainDer })),
      "deny-list/signature",
    );
  }
});

test("a list that was changed after it was signed is refused", () => {
  const { signature, chainDer } = decodeSignedDenyList(signDenyList(list, signer))!;
  const payload = encodeDenyList(denyListOf({ issuedMillis: nowMillis }));
  assert.equal(verified(encodeSignedDenyList({ payload, signature, chainDer })), "deny-list/signature");
});

test("bytes that are no signed list, or not only one, or too many, are refused", () => {
  const signed = decodeSignedDenyList(signDenyList(list, signer))!;
  const whole = encodeSignedDenyList(signed);
  const twice = (field: number) => Buffer.concat([whole, Uint8Array.of((field << 3) | 2, 0)]);
  for (const bytes of [
    new Uint8Array(0),
    whole.subarray(0, -1),
    Buffer.concat([whole, Uint8Array.of(0)]),
    twice(1),
    twice(2),
    twice(4),
    Buffer.concat([whole, Uint8Array.of(0x08, 1)]),
    encodeSignedDenyList({ ...signed, chainDer: Array.from({ length: 9 }, () => signed.chainDer[0]!) }),
    new Uint8Array(mostSignedBytes + 1),
  ]) {
    assert.equal(verified(bytes), "deny-list/unreadable");
  }
  const odd = encodeSignedDenyList({ ...signed, payload: Buffer.from("{}") });
  assert.equal(verified(odd), "deny-list/unreadable");
});

test("no byte of a signed list can be turned without that it is refused", () => {
  const random = new Random(testSeed("signed deny lists"));
  const whole = signDenyList(list, signer);
  for (let i = 0; i < 300; i++) {
    const bytes = Uint8Array.from(whole);
    const at = random.below(bytes.length);
    bytes[at] = bytes[at]! ^ (1 << random.below(8));
    const answer = verified(bytes);
    assert.equal(typeof answer, "string", `byte ${at}`);
  }
});
