import assert from "node:assert/strict";
import { rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { buildRules } from "#authz/rulesets/build-rules";
import { fileSource } from "#authz/rulesets/file-source";
import { prepareEngine } from "#authz/rulesets/prepare-at-once";
import { tempFolder } from "#test/support/service/temp-folder";

const policy = `apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: a, namespace: b }
spec: { action: ALLOW, rules: [{}] }
`;

function compiled(text: string): Uint8Array {
  const built = buildRules([{ path: "a.yaml", bytes: new TextEncoder().encode(text) }]);
  assert.ok(built.kind === "built");
  return built.bytes;
}

test("a file of compiled rules gives the rules that were compiled, by the same digest", async (t) => {
  const path = join(await tempFolder(t), "rules");
  const built = buildRules([{ path: "a.yaml", bytes: new TextEncoder().encode(policy) }]);
  assert.ok(built.kind === "built");
  await writeFile(path, built.bytes);
  const read = await fileSource(path).build();
  assert.ok(read.kind === "built");
  assert.equal(read.digest, built.digest);
  assert.match(read.digest, /^[0-9a-f]{64}$/);
  assert.equal(prepareEngine(read.bytes, read.digest).ruleSet.rules.length, 1);
});

test("a missing file and damaged bytes are faults", async (t) => {
  const read = await fileSource(join(await tempFolder(t), "none")).build();
  assert.ok(read.kind === "failed");
  assert.equal(read.code, "source/unreadable");
  const bytes = compiled(policy);
  for (const damage of [
    bytes.subarray(0, -1),
    bytes.map((byte, i) => (i === bytes.length - 3 ? byte ^ 1 : byte)),
    new Uint8Array(),
  ]) {
    assert.throws(() => prepareEngine(damage, ""), { code: "ruleset/damaged" });
  }
});

test("an exchanged file is noticed", async (t) => {
  const path = join(await tempFolder(t), "rules");
  await writeFile(path, compiled(policy));
  const source = fileSource(path);
  const changed = Promise.withResolvers<void>();
  const end = await source.watch(() => changed.resolve());
  await writeFile(`${path}.new`, compiled(policy.replace("ALLOW", "DENY")));
  await rename(`${path}.new`, path);
  await changed.promise;
  await end();
});
