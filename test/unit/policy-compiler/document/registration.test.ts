import assert from "node:assert/strict";
import { test } from "node:test";
import type { Located } from "#policy-compiler/source/diagnostic";
import { decodeFolder, summaries } from "./folder.ts";

const head = (apiVersion = "garita.dev/v1alpha1", kind = "WorkloadRegistration") =>
  `apiVersion: ${apiVersion}\nkind: ${kind}\nmetadata: {name: a}\n`;
const spec = (fields: string) => `${head()}spec: {${fields}}\n`;
const caller = (fields: string) => spec(`callers: [{${fields}}]`);

/** A file, and its findings: severity, code, underlined text. */
const faults: readonly (readonly [name: string, text: string, findings: readonly string[]])[] = [
  ["nothing in it", head(), []],
  ["a list of them", "apiVersion: garita.dev/v1alpha1\nkind: WorkloadRegistrationList\nitems: []\n", []],
  ["another version", head("garita.dev/v1"), ['error document/unknown-version "garita.dev/v1"']],
  ["Istio's group", head("networking.istio.io/v1"), ['error document/unknown-kind "WorkloadRegistration"']],
  ["no group of ours", head("example.com/v1"), ['error document/misspelt-kind "example.com/v1"']],
  [
    "the kind misspelt",
    head(undefined, "WorkloadRegistrations"),
    ['error document/unknown-kind "WorkloadRegistrations"'],
  ],
  ["two of one name", `${head()}---\n${head()}`, ['error document/duplicate-object "a"']],
  ["a field of no kind", spec("selectors: []"), ['error document/unknown-field "selectors"']],
  ["a field in snake case", spec("spiffe_id: a"), ['error document/unknown-field "spiffe_id"']],
  ["an ID that is no text", spec("spiffeId: 1"), ['error document/wrong-type "1"']],
  ["callers that are no list", spec("callers: {jwt: {}}"), ['error document/wrong-type "{jwt: {}}"']],
  ["a caller that is no object", spec("callers: [joinToken]"), ['error document/wrong-type "joinToken"']],
  ["a caller of no kind", caller("token: {}"), ['error document/unknown-field "token"']],
  ["a token with fields", caller("joinToken: {ttl: 1h}"), ['error document/unknown-field "ttl"']],
  ["a token that is no object", caller("joinToken: true"), ['error document/wrong-type "true"']],
  ["a jwt with another field", caller("jwt: {iss: a}"), ['error document/unknown-field "iss"']],
  ["claims that are a list", caller("jwt: {claims: [sub]}"), ['error document/wrong-type "[sub]"']],
  ["a claim that is a number", caller("jwt: {claims: {uid: 7}}"), ['error document/wrong-type "7"']],
  ["a claim that is a boolean", caller("jwt: {claims: {admin: true}}"), ['error document/wrong-type "true"']],
  ["a claim that is an object", caller("jwt: {claims: {a: {b: c}}}"), ['error document/wrong-type "{b: c}"']],
  ["a claim's value that is a number", caller("jwt: {claims: {a: [b, 7]}}"), ['error document/wrong-type "7"']],
  ["a lifetime without a unit", spec("ttl: {max: 60}"), ['error document/wrong-type "60"']],
  ["a lifetime that is no object", spec("ttl: 24h"), ['error document/wrong-type "24h"']],
  ["a lifetime of no kind", spec("ttl: {min: 1h}"), ['error document/unknown-field "min"']],
  ["names that are no list", spec("dnsNames: web"), ['error document/wrong-type "web"']],
];

for (const [name, text, findings] of faults) {
  test(`a registration with ${name}`, () => {
    assert.deepEqual(summaries(decodeFolder({ "a.yaml": text })), findings);
    // Our own kinds are never read laxly.
    assert.deepEqual(summaries(decodeFolder({ "a.yaml": text }, { istioLax: true })), findings);
  });
}

test("what has no fields says so", () => {
  const [{ help } = assert.fail()] = decodeFolder({ "a.yaml": caller("joinToken: {a: b}") }).findings;
  assert.equal(help, "it has no fields");
});

test("a registration is read with the places of what it says", () => {
  const text = `${head()}spec:
  spiffeId: spiffe://td/{sub}
  callers:
  - jwt:
      issuer: https://i
      claims: { sub: a, "[a][b]": [c, d] }
  - joinToken: {}
  dnsNames: [web]
  keyKinds:
  ttl: { default: 1h }
`;
  const folder = decodeFolder({ "a.yaml": text });
  assert.deepEqual(summaries(folder), []);
  const [registration = assert.fail()] = folder.documents.registrations;
  const at = ({ value, span }: Located<string>) => {
    assert.equal(text.slice(span.start, span.end).replaceAll('"', ""), value);
    return value;
  };
  const { spiffeId, callers, dnsNames, keyKinds, ttl } = registration;
  assert.equal(spiffeId && at(spiffeId), "spiffe://td/{sub}");
  assert.deepEqual(
    callers[0]?.jwt?.claims?.items.map(({ path, values }) => [at(path), values.map(at)]),
    [
      ["sub", ["a"]],
      ["[a][b]", ["c", "d"]],
    ],
  );
  assert.deepEqual(
    callers.map(({ spiffeId: id, jwt, joinToken }) => [id, jwt?.issuer?.value, joinToken !== undefined]),
    [
      [undefined, "https://i", false],
      [undefined, undefined, true],
    ],
  );
  assert.deepEqual(dnsNames?.values.map(at), ["web"]);
  assert.deepEqual(keyKinds?.values, [], "begun and left empty, which is not the same as absent");
  assert.deepEqual([ttl?.default && at(ttl.default), ttl?.max], ["1h", undefined]);
});
