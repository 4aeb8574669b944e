import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { compile } from "#policy-compiler/compile";

const page = readFileSync(new URL("../../../docs/keycloak.md", import.meta.url), "utf8");

test("the policies of the page about Keycloak compile, and nothing is to be said about them", () => {
  const [, text] = /```yaml\n(.*?)```/s.exec(page) ?? [];
  const { ruleSet, diagnostics } = compile([{ path: "shop.yaml", bytes: Buffer.from(text ?? "") }]);
  assert.deepEqual(diagnostics, []);
  assert.equal(ruleSet?.requestAuthentications.length, 1);
  assert.equal(ruleSet?.rules.length, 2);
});
