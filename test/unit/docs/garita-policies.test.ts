import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { Ajv } from "ajv";
import { parseAllDocuments } from "yaml";
import { explanationHeaders, makeAnswer } from "#authz/check/answer";
import { OUR_PREFIX } from "#authz/check/attributes/call-metadata";
import { compile } from "#policy-compiler/compile";
import { decodeDocuments } from "#policy-compiler/document/decode-documents";
import { headerNameFault, ownMetadataKeys } from "#policy-compiler/ruleset/response-limits";
import { extensionCases } from "#test/unit/policy-compiler/validate/extension-cases";

const root = new URL("../../../", import.meta.url);
const page = readFileSync(new URL("docs/garita-policies.md", root), "utf8");
const schema = JSON.parse(readFileSync(new URL("docs/garita-authorization-policy.schema.json", root), "utf8"));
const fits = new Ajv({ strictSchema: true, strictTypes: false }).compile(schema);

const head = "apiVersion: garita.dev/v1alpha1\nkind: AuthorizationPolicy\nmetadata: {name: a, namespace: b}\n";
const compiled = (text: string) => compile([{ path: "a.yaml", bytes: new TextEncoder().encode(text) }]);
const documents = (text: string): unknown[] => parseAllDocuments(text).map((document) => document.toJS());

test("the policy on the page compiles without a word, and fits the schema", () => {
  const text = /```yaml\n([\s\S]*?)```/.exec(page)![1]!;
  assert.deepEqual(compiled(text).diagnostics, []);
  for (const document of documents(text)) assert.ok(fits(document), JSON.stringify(fits.errors));
});

test("the page shows what check says", () => {
  const { diagnostics } = compiled(`${head}spec: {rules: [{cel: ["request.pth == '/a' || connection.tls"]}]}\n`);
  const [{ message, help } = assert.fail()] = diagnostics;
  assert.ok(page.includes(`error[condition/not-allowed]: ${message}\n`), message);
  assert.ok(page.includes(`= help: ${help}\n`), help);
});

test("the policies of the examples fit the schema", () => {
  const policies = globSync("examples/conditions/policies/*/*.yaml", { cwd: root })
    .filter((path) => !path.endsWith("_test.yaml"))
    .flatMap((path) => documents(readFileSync(new URL(path, root), "utf8")));
  assert.equal(policies.length, 5);
  for (const policy of policies) assert.ok(fits(policy), JSON.stringify(fits.errors));
});

/** What the schema can tell of what validation tells: shapes and closed lists. */
const toldBySchema = new Set(["condition/too-many", "response/action", "response/status"]);

test("the schema takes what is right, and of what is wrong it tells the shape", () => {
  for (const { code, bad, good, goodOwn } of extensionCases) {
    const [right] = documents(`${head}spec: {${good}}\n`);
    if (goodOwn !== false) assert.ok(fits(right), `${code} ${good} ${JSON.stringify(fits.errors)}`);
    const [wrong] = documents(`${head}spec: {${bad}}\n`);
    if (toldBySchema.has(code)) assert.ok(!fits(wrong), `${code} ${bad}`);
  }
});

/** Of each schema a value, with every member that it knows. */
function everything(of: Record<string, unknown>): unknown {
  if (of["const"] !== undefined) return of["const"];
  if (of["enum"] !== undefined) return (of["enum"] as readonly unknown[])[0];
  if (of["oneOf"] !== undefined) return everything((of["oneOf"] as Record<string, unknown>[])[1]!);
  if (of["type"] === "array") return [everything(of["items"] as Record<string, unknown>)];
  if (of["type"] !== "object") return "a";
  const members = Object.entries((of["properties"] ?? {}) as Record<string, Record<string, unknown>>);
  return Object.fromEntries(members.map(([name, member]) => [name, everything(member)]));
}

test("the decoder knows every field of the schema", () => {
  const policy = { ...(everything(schema) as object), metadata: { name: "a" } };
  const text = JSON.stringify(policy);
  assert.ok(text.includes('"allowResponse":') && text.includes('"notServiceAccounts":'));
  const { findings } = decodeDocuments([{ path: "a.json", bytes: new TextEncoder().encode(text) }], {});
  assert.deepEqual(findings, []);
});

test("what every answer has already cannot be set", () => {
  const verdict: Parameters<typeof makeAnswer>[0] = {
    decision: { outcome: "deny", reason: "policy/denied", rule: undefined },
    isHttp: true,
    status: 403,
    body: "",
    clientHeaders: [],
    metadata: [],
  } as never;
  const { metadata } = makeAnswer(verdict, "1", { digest: "d", commit: "c" }, undefined, { explainToClient: true });
  assert.deepEqual(metadata.map(([key]) => key).toSorted(), [...ownMetadataKeys].toSorted());
  const ours = explanationHeaders(verdict, "1").map(({ name }) => name);
  for (const name of [...ours, OUR_PREFIX, `${OUR_PREFIX}x`]) {
    assert.equal(headerNameFault(name, "response"), "refused", name);
  }
});
