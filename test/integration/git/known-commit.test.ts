import assert from "node:assert/strict";
import { readdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { gitRules } from "#test/support/git/git-rules";
import { allowing, type TestRepository, testRepository } from "#test/support/git/test-repository";

const hour = 3_600_000;

/** Two commits that were in force one after the other, by a service that has ended. */
async function two(t: TestContext, pinFirst = false) {
  const repository = await testRepository(t);
  const rules = await gitRules(t, repository.url);
  const first = await repository.commit({ "a.yaml": allowing("/one") });
  await rules.load();
  const second = await repository.commit({ "a.yaml": allowing("/two") });
  await rules.load();
  assert.equal(rules.commit(), second);
  if (pinFirst) assert.equal(await rules.sync.pin({ commit: first, durationMillis: hour }), undefined);
  await rules.sync.stop();
  return { repository, folder: rules.folder, first, second };
}

/** A history without the second commit. */
async function rewrite({ git, commit }: TestRepository, from: string): Promise<string> {
  await git("reset", "--quiet", "--hard", from);
  return commit({ "a.yaml": allowing("/forged") });
}

const garbage = (file: string) => writeFile(file, "garbage");

/** Changes the kept file whose name begins so. */
async function lose(folder: string, begin: string, how: (file: string) => Promise<void>): Promise<void> {
  const names = (await readdir(folder)).filter((name) => name.startsWith(begin));
  assert.equal(names.length, 1, `${names}`);
  await how(join(folder, names[0]!));
}

test("a rewritten history is refused also where the last known good rules are damaged or gone", async (t) => {
  for (const how of [garbage, (file: string) => rm(file)]) {
    const { repository, folder, first, second } = await two(t);
    await lose(folder, "last-known-good-", how);
    await rewrite(repository, first);
    const again = await gitRules(t, repository.url, { folder });
    for (let i = 0; i < 2; i++) {
      assert.deepEqual([await again.load(), again.code()], ["refused", "git/forced"], again.logged());
      await rm(join(folder, "mirror.git"), { recursive: true, force: true });
    }
    await repository.git("reset", "--quiet", "--hard", second);
    const next = await repository.commit({ "a.yaml": allowing("/three") });
    assert.equal(await again.load(), "activated", again.logged());
    assert.equal(again.commit(), next);
  }
});

test("a pin that is made while the last known good rules are damaged does not make a rewritten history good", async (t) => {
  const { repository, folder, first } = await two(t);
  await lose(folder, "last-known-good-", garbage);
  await rewrite(repository, first);
  const again = await gitRules(t, repository.url, { folder });
  assert.equal(await again.load(), "refused");
  assert.equal(await again.sync.pin({ commit: first, durationMillis: hour }), undefined, again.logged());
  assert.deepEqual([await again.sync.unpin(), again.code()], ["refused", "git/forced"]);
});

test("what was taken before a pin is known when the pin's file is damaged, also over restarts", async (t) => {
  const { repository, folder, first, second } = await two(t, true);
  await lose(folder, "pin-", garbage);
  await rewrite(repository, first);
  const again = await gitRules(t, repository.url, { folder });
  await again.load();
  assert.deepEqual([again.commit(), again.code()], [first, "git/pin"]);
  const other = await again.sync.pin({ commit: first, durationMillis: hour });
  assert.equal(other?.code, "git/pin", "another pin would put what it knows in its place");
  assert.deepEqual([await again.sync.unpin(), again.code()], ["refused", "git/forced"]);
  await again.sync.stop();
  const restarted = await gitRules(t, repository.url, { folder });
  await restarted.load();
  assert.deepEqual([restarted.commit(), restarted.code()], [first, "git/forced"]);
  await repository.git("reset", "--quiet", "--hard", second);
  assert.equal(await restarted.load(), "activated");
  assert.deepEqual([restarted.commit(), restarted.status().current], [second, true]);
  const next = await repository.commit({ "a.yaml": allowing("/three") });
  assert.equal(await restarted.load(), "activated");
  assert.equal(restarted.commit(), next);
  assert.deepEqual(
    (await readdir(folder)).filter((name) => name.startsWith("pin-")),
    [],
  );
});

test("what the mirror has noted is known after a kill while another was made in its place", async (t) => {
  for (const isBegun of [false, true]) {
    const { repository, folder, first } = await two(t);
    const mirror = join(folder, "mirror.git");
    await rename(mirror, `${mirror}.before`);
    if (isBegun) await repository.git("init", "--quiet", "--bare", mirror);
    await lose(folder, "last-known-good-", (file) => rm(file));
    await rewrite(repository, first);
    const again = await gitRules(t, repository.url, { folder });
    assert.deepEqual([await again.load(), again.code()], ["refused", "git/forced"], again.logged());
    assert.ok(!(await readdir(folder)).includes("mirror.git.before"));
  }
});

test("where both are lost with the mirror, the first commit has no predecessor", async (t) => {
  const { repository, folder, first } = await two(t, true);
  await lose(folder, "pin-", garbage);
  await lose(folder, "last-known-good-", garbage);
  await rm(join(folder, "mirror.git"), { recursive: true });
  const other = await rewrite(repository, first);
  const again = await gitRules(t, repository.url, { folder });
  assert.deepEqual([await again.load(), again.code()], ["refused", "git/pin"]);
  assert.equal(await again.sync.unpin(), "activated", again.logged());
  assert.equal(again.commit(), other);
});
