import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { statfsSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { gitRules } from "#test/support/git/git-rules";
import { allowing, testRepository } from "#test/support/git/test-repository";
import { afterAll } from "#test/support/service/after-all";

/** A file system of so many KiB. Needs root: fails without. */
async function smallDisk(t: TestContext, sizeKib: number): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "garita-test-"));
  execFileSync("mount", ["-t", "tmpfs", "-o", `size=${sizeKib}k,mode=0700`, "tmpfs", folder], { stdio: "pipe" });
  afterAll(t, async () => {
    execFileSync("umount", ["--lazy", folder]);
    await rm(folder, { recursive: true });
  });
  return folder;
}

test("a full disk refuses new commits and leaves what is in force; with room again the newest is", async (t) => {
  const repository = await testRepository(t);
  const good = await repository.commit({ "a.yaml": allowing("/one") });
  const folder = await smallDisk(t, 4_096);
  const rules = await gitRules(t, repository.url, { folder });
  assert.equal(await rules.load(), "activated", rules.logged());

  await repository.commit({
    "a.yaml": allowing("/two"),
    "noise.bin": randomBytes(8 * 1024 * 1024).toString("base64"),
  });
  assert.equal(await rules.load(), "refused");
  assert.deepEqual([rules.commit(), rules.code(), rules.status().ready], [good, "git/mirror", true]);
  execFileSync("mount", ["-o", "remount,size=64m", folder]);
  assert.equal(await rules.load(), "activated", rules.logged());
  assert.equal(rules.status().current, true);
});

test("rules that cannot be kept are in force all the same, the old file stays whole, and the status says so", async (t) => {
  const repository = await testRepository(t);
  const good = await repository.commit({ "a.yaml": allowing("/one") });
  const folder = await smallDisk(t, 4_096);
  const rules = await gitRules(t, repository.url, { folder });
  await rules.load();
  const { bavail, bsize } = statfsSync(folder);
  // As git packs it, the policy fits into what is left; compiled, it does not.
  writeFileSync(`${folder}/ballast`, new Uint8Array(bavail * bsize - 500 * 1024));
  const many = Array.from({ length: 60_000 }, (_, i) => `/path/number/${i}`);
  const next = await repository.commit({ "a.yaml": allowing(many.join('", "')) });
  assert.equal(await rules.load(), "activated", rules.logged());
  assert.equal(rules.commit(), next);
  assert.match(rules.status().warnings.join(), /cannot be kept for a start without Git/);
  await rules.sync.stop();
  await rm(repository.folder, { recursive: true });
  const again = await gitRules(t, repository.url, { folder });
  await again.load();
  assert.equal(again.commit(), good, "the kept rules are whole");
});
