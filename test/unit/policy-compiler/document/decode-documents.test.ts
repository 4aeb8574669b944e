import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeDocuments } from "#policy-compiler/document/decode-documents";
import { yamlLimits } from "#policy-compiler/yaml/limits";
import { decodeFolder, summaries } from "./folder.ts";
import { authorization, peer } from "./texts.ts";

test("the second object of a kind, namespace and name is an error, whatever its version", () => {
  const first = peer("{}");
  const decoded = decodeFolder({
    "b.yaml": first.replace("/v1", "/v1beta1"),
    "a.yaml": `${first}---\n${first.replace("{name: a}", "{name: a, namespace: other}")}`,
  });
  assert.deepEqual(
    decoded.findings.map(({ code, file }) => [code, file]),
    [["document/duplicate-object", "b.yaml"]],
  );
  assert.equal(decoded.findings[0]?.help, "the first stands in a.yaml, line 3");
});

test("files are read in order of their paths, at any depth; hidden folders and other names are not looked at", () => {
  const named = (name: string) => peer("{}").replace("{name: a}", `{name: ${name}}`);
  const decoded = decodeFolder({
    "z.yml": named("z"),
    "a/b/c.json": '{"apiVersion": "security.istio.io/v1", "kind": "PeerAuthentication", "metadata": {"name": "c"}}',
    "B.YAML": named("upper"),
    ".git/x.yaml": "{{",
    "a/.hidden/x.yaml": "{{",
    "notes.md": "{{",
    "a/x.yaml.bak": "{{",
    "x.tpl": "{{",
  });
  assert.deepEqual(summaries(decoded), []);
  assert.deepEqual(
    decoded.documents.peerAuthentications.map(({ head }) => head.name.value),
    ["upper", "c", "z"],
  );
});

test("policy tests are passed over", () => {
  const decoded = decodeFolder({ "a_test.yaml": "{{", "b/c_test.yml": "x: [", "test.yaml": "a: 1\n" });
  assert.deepEqual(summaries(decoded), [
    'note folder/policy-test ""',
    'note folder/policy-test ""',
    'note document/no-kind "a"',
  ]);
});

test("an object that does not decode is left out, its neighbours are not", () => {
  const decoded = decodeFolder({ "a.yaml": `${authorization("{action: deny}")}---\n${peer("{}")}` });
  assert.equal(decoded.documents.authorizationPolicies.length, 0);
  assert.equal(decoded.documents.peerAuthentications.length, 1);
});

test("a folder whose files are too large together is refused where the limit is passed", () => {
  const half = { bytes: new Uint8Array(yamlLimits.folderBytes / 2) };
  const files = ["a_test.yaml", "b_test.yaml", "c.yaml", "d.yaml"].map((path) => ({ path, ...half }));
  const { findings } = decodeDocuments(files, {});
  assert.deepEqual(
    findings.map(({ code, file }) => [code, file]),
    [
      ["folder/policy-test", "a_test.yaml"],
      ["folder/policy-test", "b_test.yaml"],
      ["folder/too-large", "c.yaml"],
    ],
  );
});
