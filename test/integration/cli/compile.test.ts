import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { copyFile, mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { fileSource } from "#authz/rulesets/file-source";
import { prepareEngine } from "#authz/rulesets/prepare-at-once";
import { CodedError } from "#platform/coded-error";
import { cli, folderOf, policy, readers } from "#test/support/cli/run-cli";
import { runService } from "#test/support/service/run-service";

const warned = policy("hosts", "rules: [{ to: [{ operation: { hosts: [a.example] } }] }]");

test("compiled rules are written, their digest is told, and they are what the folder says", async (t) => {
  const folder = await folderOf(t, { "policies/p.yaml": readers, "policies/q.yaml": warned });
  const file = join(folder, "rules.bin");
  const { status, out, err } = await cli(["compile", `${folder}/policies`, "-o", file]);
  const bytes = await readFile(file);
  const digest = createHash("sha256").update(bytes).digest("hex");
  assert.deepEqual([status, out], [0, `${digest}  ${file}\n`]);
  assert.match(err, /warning\[lint\/host-without-port\]/, "warnings do not hide in a file of bytes");
  const engine = prepareEngine(new Uint8Array(bytes), digest);
  assert.deepEqual(
    engine.ruleSet.policies.map(({ name }) => name),
    ["hosts", "readers"],
  );
  const checked = await cli(["check", `${folder}/policies`]);
  assert.ok(checked.out.includes(digest.slice(0, 12)), "check names the same rules");

  const again = join(folder, "again.bin");
  await cli(["compile", `${folder}/policies/`, "-o", again]);
  assert.deepEqual(await readFile(again), bytes, "the same input, the same bytes");
});

test("a file that is there is exchanged as a whole, and only by valid policies", async (t) => {
  const folder = await folderOf(t, { "policies/p.yaml": readers, "rules.bin": "what was there" });
  const file = join(folder, "rules.bin");
  const before = await stat(file);
  await writeFile(join(folder, "policies/p.yaml"), `${readers}tpyo: 1\n`);
  const refused = await cli(["compile", `${folder}/policies`, "-o", file]);
  assert.deepEqual([refused.status, refused.out], [3, ""]);
  assert.equal(await readFile(file, "utf8"), "what was there");
  await writeFile(join(folder, "policies/p.yaml"), readers);
  assert.equal((await cli(["compile", `${folder}/policies`, "-o", file])).status, 0);
  assert.notEqual((await stat(file)).ino, before.ino, "another file under the name: no reader sees a half");
  assert.deepEqual((await readdir(folder)).sort(), ["policies", "rules.bin"]);
});

test("what cannot be written leaves nothing behind", async (t) => {
  const folder = await folderOf(t, { "policies/p.yaml": readers });
  await mkdir(join(folder, "taken"));
  for (const name of ["taken", "gone/rules.bin", "policies/p.yaml/rules.bin"]) {
    const { status, out, err } = await cli(["compile", `${folder}/policies`, "-o", join(folder, name)]);
    assert.deepEqual([status, out], [1, ""], name);
    assert.ok(err.startsWith(`garita: \`${join(folder, name)}\` cannot be written: `), err);
    assert.ok(err.endsWith(" [output/unwritable]\n"), err);
  }
  assert.deepEqual((await readdir(folder)).sort(), ["policies", "taken"]);
});

test("damaged bytes are refused, wherever the damage is", async (t) => {
  const folder = await folderOf(t, { "policies/p.yaml": readers });
  const file = join(folder, "rules.bin");
  await cli(["compile", `${folder}/policies`, "-o", file]);
  const bytes = new Uint8Array(await readFile(file));
  prepareEngine(bytes, "");
  const refused = (damaged: Uint8Array, where: string) =>
    assert.throws(
      () => prepareEngine(damaged, ""),
      (fault) => fault instanceof CodedError && fault.code === "ruleset/damaged",
      where,
    );
  for (let at = 0; at < bytes.length; at++) {
    for (const bit of [0x01, 0x80]) refused(bytes.with(at, bytes[at]! ^ bit), `bit ${bit} of byte ${at}`);
    refused(bytes.slice(0, at), `${at} of ${bytes.length} bytes`);
  }
  refused(new Uint8Array([...bytes, 0]), "a byte more");
});

test("a service by compiled rules keeps those in force when the file is damaged, and takes it when it is whole again", async (t) => {
  const folder = await folderOf(t, {
    "policies/p.yaml": readers,
    "garita.yaml":
      'listeners: [{ name: a, protocol: grpc, address: "127.0.0.1:0" }]\npolicies: { directory: policies }\n',
  });
  const file = join(folder, "rules.bin");
  await cli(["compile", `${folder}/policies`, "-o", file]);
  await copyFile(file, join(folder, "good.bin"));
  const { service } = await runService(t, join(folder, "garita.yaml"), {
    createSource: () => fileSource(file),
    prepare: prepareEngine,
  });
  const { active } = service.status().rules;
  assert.equal(active?.counts.rules, 1);
  await writeFile(file, (await readFile(file)).subarray(0, -1));
  assert.equal((await service.reload()).ok, false);
  const damaged = service.status().rules;
  assert.match(damaged.candidate?.message ?? "", /damaged/);
  assert.deepEqual([damaged.ready, damaged.current, damaged.active], [true, false, active]);
  await copyFile(join(folder, "good.bin"), file);
  assert.equal((await service.reload()).ok, true);
  assert.equal(service.status().rules.current, true);
});
