import assert from "node:assert/strict";
import { chmod, chown, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { claimFolder } from "#authz/rulesets/git/claim-folder";
import { CodedError } from "#platform/coded-error";
import { gitRules } from "#test/support/git/git-rules";
import { allowing, testRepository } from "#test/support/git/test-repository";
import { tempFolder } from "#test/support/service/temp-folder";

test("a folder that others may write in is not used, nor what was kept in it, until it is closed", async (t) => {
  const repository = await testRepository(t);
  await repository.commit({ "a.yaml": allowing("/one") });
  const first = await gitRules(t, repository.url);
  await first.load();
  await first.sync.stop();
  for (const mode of [0o777, 0o770, 0o702]) {
    await chmod(first.folder, mode);
    const rules = await gitRules(t, repository.url, { folder: first.folder });
    assert.equal(await rules.load(), "refused");
    assert.deepEqual([rules.code(), rules.snapshot()], ["git/mirror", undefined]);
    assert.match(rules.status().candidate!.message, /may be written by others/);
    await chmod(first.folder, 0o755);
    assert.equal(await rules.load(), "activated", rules.logged());
  }
});

test("a folder is the service's own, or root's", async (t) => {
  const folder = await tempFolder(t);
  const ownUid = process.getuid!();
  const owner = ownUid === 0 ? 4321 : ownUid;
  if (ownUid === 0) {
    await claimFolder(folder, 1234);
    await chown(folder, owner, owner);
  }
  await claimFolder(folder, owner);
  await assert.rejects(
    claimFolder(folder, owner + 1),
    (fault) =>
      fault instanceof CodedError &&
      fault.code === "git/mirror" &&
      fault.message.includes(`belongs to user ${owner}, who could`),
  );
});

test("nobody else can hold the lock: its file is the service's alone, also one that was not", async (t) => {
  const repository = await testRepository(t);
  await repository.commit({ "a.yaml": allowing("/one") });
  const rules = await gitRules(t, repository.url);
  const lock = join(rules.folder, "lock");
  const modeOfLock = async () => (await stat(lock)).mode & 0o777;
  await rules.load();
  assert.equal(await modeOfLock(), 0o600);
  await chmod(lock, 0o644);
  await rules.load();
  assert.equal(await modeOfLock(), 0o600);
});

test("what the mirror's configuration says is not heard: no program, no other remote", async (t) => {
  const repository = await testRepository(t);
  await repository.commit({ "a.yaml": allowing("/one") });
  const rules = await gitRules(t, repository.url);
  await rules.load();
  const marks = await tempFolder(t);
  const program = join(await tempFolder(t), "program");
  await writeFile(program, `#!/bin/sh\ntouch ${marks}/ran\nexec git-upload-pack "$@"\n`, { mode: 0o755 });
  const other = await testRepository(t);
  await other.commit({ "a.yaml": allowing("/evil") });
  const config = join(rules.folder, "mirror.git", "config");
  for (const planted of [
    `[remote "origin"]\n\tuploadpack = ${program}\n`,
    `[remote "origin"]\n\turl = ${other.url}\n`,
    `[url "${other.url}"]\n\tinsteadOf = ${repository.url}\n`,
  ]) {
    await writeFile(config, `${planted}${await readFile(config, "utf8")}`);
    const next = await repository.commit({ "a.yaml": allowing(`/${planted.length}`) });
    assert.equal(await rules.load(), "activated", rules.logged());
    assert.deepEqual([rules.commit(), await readdir(marks)], [next, []]);
  }
});
