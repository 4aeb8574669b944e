import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { Ajv } from "ajv";
import { parseAllDocuments } from "yaml";
import type { Caller } from "#ca/callers/contract";
import { authorizeIdentity } from "#ca/registration/authorize-identity";
import { buildRegistrations } from "#ca/registration/build-registrations";
import { matchEntries } from "#ca/registration/match-entries";
import { registrationEntries } from "#cli/serve/registration-entries";
import { compile } from "#policy-compiler/compile";
import { decodeDocuments } from "#policy-compiler/document/decode-documents";
import { bearer, joining, svid } from "#test/support/ca/registration";
import { registrationCases } from "#test/unit/policy-compiler/validate/registration-cases";

const root = new URL("../../../", import.meta.url);
const page = readFileSync(new URL("docs/registrations.md", root), "utf8");
const schema = JSON.parse(readFileSync(new URL("docs/garita-workload-registration.schema.json", root), "utf8"));
const fits = new Ajv({ strictSchema: true, strictTypes: false }).compile(schema);

const yaml = /```yaml\n([\s\S]*?)```/.exec(page)![1]!;
const documents = (text: string): unknown[] => parseAllDocuments(text).map((document) => document.toJS());
const bytes = (text: string) => new TextEncoder().encode(text);
const compiled = compile([
  { path: "mesh.yaml", bytes: bytes("trustDomain: hello.mesh\n") },
  { path: "web.yaml", bytes: bytes(yaml) },
]);

test("the registrations on the page compile without a word, and fit the schema", () => {
  assert.deepEqual(compiled.diagnostics, []);
  const all = documents(yaml);
  assert.equal(all.length, 2);
  for (const document of all) assert.ok(fits(document), JSON.stringify(fits.errors));
});

const kubernetes = "https://kubernetes.default.svc.cluster.local";
const token = (namespace: string, name: string) =>
  bearer(kubernetes, {
    sub: `system:serviceaccount:${namespace}:${name}`,
    "kubernetes.io": { namespace, serviceaccount: { name } },
  });
const web = "spiffe://hello.mesh/ns/hello/sa/web";

const rows: readonly (readonly [name: string, Caller, requested: string | undefined, says: string])[] = [
  ["a token of a registered service account", token("hello", "web"), undefined, `${web} by hello/web`],
  [
    "a token of another one",
    token("shop", "api"),
    undefined,
    "spiffe://hello.mesh/ns/shop/sa/api by hello/service-accounts",
  ],
  ["a token of another one, for the registered", token("shop", "api"), web, "identity/not-allowed"],
  [
    "a token of another issuer",
    bearer("https://i", { sub: "system:serviceaccount:hello:web" }),
    undefined,
    "identity/not-registered",
  ],
  ["a join token", joining(web), undefined, `${web} by hello/web`],
  ["a join token for another", joining("spiffe://hello.mesh/ns/hello/sa/db"), undefined, "identity/not-registered"],
  ["the predecessor", svid(`${web}-old`), web, `${web} by hello/web`],
  ["a renewal", svid(web), undefined, `${web} by hello/web`],
];

for (const [name, caller, requested, says] of rows) {
  test(`the registrations on the page: ${name}`, () => {
    const registrations = buildRegistrations(registrationEntries(compiled.ruleSet!));
    const found = authorizeIdentity(matchEntries(registrations, caller, requested), requested, caller);
    assert.equal(found.ok ? `${found.id} by ${found.entry.name}` : found.code, says);
  });
}

const head = "apiVersion: garita.dev/v1alpha1\nkind: WorkloadRegistration\nmetadata: {name: a, namespace: b}\n";

/** What the schema can tell of what validation tells: shapes and closed lists. */
const toldBySchema = new Set([
  "registration/callers-missing",
  "registration/caller-kind",
  "registration/issuer",
  "registration/claim-value",
  "registration/empty-field",
  "registration/dns-name-twice",
  "registration/key-kind",
]);

test("the schema takes what is right, and of what is wrong it tells the shape", () => {
  for (const { code, bad, good } of registrationCases) {
    const [right] = documents(`${head}spec: {${good}}\n`);
    assert.ok(fits(right), `${code} ${good} ${JSON.stringify(fits.errors)}`);
    const [wrong] = documents(`${head}spec: {${bad}}\n`);
    if (toldBySchema.has(code)) assert.ok(!fits(wrong), `${code} ${bad}`);
  }
});

/** Of each schema a value, with every member that it knows. */
function everything(of: Record<string, unknown>): unknown {
  if (of["const"] !== undefined) return of["const"];
  if (of["enum"] !== undefined) return (of["enum"] as readonly unknown[])[0];
  if (of["type"] === "array") return [everything(of["items"] as Record<string, unknown>)];
  if (of["additionalProperties"] instanceof Object) return { sub: "a" };
  if (of["type"] !== "object") return "a";
  const members = Object.entries((of["properties"] ?? {}) as Record<string, Record<string, unknown>>);
  return Object.fromEntries(members.map(([name, member]) => [name, everything(member)]));
}

test("the decoder knows every field of the schema", () => {
  const text = JSON.stringify({ ...(everything(schema) as object), metadata: { name: "a" } });
  assert.ok(text.includes('"joinToken":{}') && text.includes('"max":'));
  const { findings } = decodeDocuments([{ path: "a.json", bytes: bytes(text) }], {});
  assert.deepEqual(findings, []);
});
