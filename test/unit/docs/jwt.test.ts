import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { parse } from "yaml";
import { jwtDefaults } from "#cli/config/jwt-defaults";
import { loadConfig } from "#cli/config/load";
import { tokenFaults } from "#identity/token/token";
import { cli, folderOf } from "#test/support/cli/run-cli";
import { tempFolder } from "#test/support/service/temp-folder";

const docs = fileURLToPath(new URL("../../../docs/", import.meta.url));
const page = readFileSync(join(docs, "jwt.md"), "utf8");
const blocks = [...page.matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, text]) => text!);

test("the page about tokens: its configuration is one, and tells the defaults", async (t) => {
  const jwt = blocks.find((block) => block.startsWith("jwt:"));
  assert.ok(jwt);
  const file = join(await tempFolder(t), "garita.yaml");
  const rest = "listeners: [{ name: a, protocol: grpc, address: 127.0.0.1:0 }]\npolicies: { directory: p }\n";
  await writeFile(file, rest + jwt);
  const loaded = await loadConfig(file, {});
  assert.ok(loaded.ok, JSON.stringify(loaded));
  const { caFile, blockedCidrs, ...others } = loaded.config.jwt;
  assert.deepEqual([others, caFile !== undefined, blockedCidrs], [jwtDefaults, true, ["10.0.0.0/8"]]);
});

test("the page about tokens: its policy test passes as it stands beside its policy", async (t) => {
  const policy = blocks.find((block) => block.includes("kind: RequestAuthentication"));
  const tests = blocks.find((block) => block.includes("expect:"));
  const folder = await folderOf(t, { "orders.yaml": policy!, "orders_test.yaml": tests! });
  const { status, out, err } = await cli(["test", folder]);
  assert.deepEqual([status, out, err], [0, "2 passed, 0 failed\n", ""]);
});

test("the page about tokens: every text of a refusal is one, every file is there, every example is YAML", () => {
  const texts: readonly string[] = [...Object.values(tokenFaults).map(({ text }) => text), "RBAC: access denied"];
  const told = [...page.matchAll(/`((?:Jw|Aud|RBAC)[^`]*)`/g)].map(([, text]) => text!);
  assert.ok(told.length > 5);
  for (const text of told) assert.ok(texts.includes(text), text);
  for (const [, link] of page.matchAll(/\]\(([^)#]+)[^)]*\)/g)) assert.ok(existsSync(join(docs, link!)), link);
  for (const block of blocks) assert.doesNotThrow(() => parse(block), block);
});
