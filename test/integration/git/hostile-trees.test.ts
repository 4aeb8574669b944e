import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { access, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { systemTimers } from "#platform/timers";
import { gitRules } from "#test/support/git/git-rules";
import { handTimers } from "#test/support/git/hand-timers";
import { allowing, testRepository } from "#test/support/git/test-repository";

/** Rules in force, and a newer commit: a few objects, that are 3^40 entries when they are walked. Ends after `timeoutMillis`. */
async function behindBomb(t: TestContext, leaf: "file" | "nothing", timeoutMillis: number) {
  const repository = await testRepository(t);
  await repository.commit({ "a.yaml": allowing("/one") });
  const time = { ...handTimers(), timers: systemTimers };
  const rules = await gitRules(t, repository.url, { settings: { timeoutMillis }, time });
  assert.equal(await rules.load(), "activated", rules.logged());
  const scratch = join(repository.folder, "scratch");
  const write = async (type: string, bytes: Uint8Array) => {
    await writeFile(scratch, bytes);
    return repository.git("hash-object", "-t", type, "-w", scratch);
  };
  let mode = leaf === "file" ? "100644" : "40000";
  let object = await write(leaf === "file" ? "blob" : "tree", new Uint8Array());
  for (let depth = 0; depth < 40; depth++) {
    const entry = (name: string) => [Buffer.from(`${mode} ${name}\0`), Buffer.from(object, "hex")];
    object = await write("tree", Buffer.concat(["a", "b", "c"].flatMap(entry)));
    mode = "40000";
  }
  const commit = await repository.git("commit-tree", object, "-p", "HEAD", "-m", "a bomb");
  await repository.git("update-ref", "refs/heads/main", commit);
  return { repository, rules, tree: `${commit}:` };
}

/** Programs that have this argument. */
function running(argument: string): number {
  const lines = execFileSync("ps", ["-eo", "args"], { encoding: "utf8" }).split("\n");
  return lines.filter((line) => line.includes("ls-tree") && line.includes(argument)).length;
}

test("a tree of endless files is too large, which is remembered, and the next good commit repairs it", async (t) => {
  const { repository, rules } = await behindBomb(t, "file", 60_000);
  assert.equal(await rules.load(), "refused");
  assert.equal(rules.code(), "source/too-large");
  const mirror = join(rules.folder, "mirror.git");
  await rm(mirror, { recursive: true });
  await rules.load();
  assert.equal(rules.code(), "source/too-large");
  await assert.rejects(access(mirror), { code: "ENOENT" }, "it is not even fetched again");
  await repository.git("commit", "--quiet", "--allow-empty", "-m", "mended");
  const mended = await repository.git("rev-parse", "HEAD");
  assert.equal(await rules.load(), "unchanged", rules.logged());
  assert.deepEqual([rules.commit(), rules.status().current], [mended, true]);
});

test("a tree of endless folders is given up, and asked about less and less often", async (t) => {
  const { rules, tree } = await behindBomb(t, "nothing", 1_000);
  await rules.sync.follow();
  for (const waitMillis of [120_000, 240_000]) {
    const now = rules.time.clock.nowMillis();
    assert.equal(await rules.load(), "refused");
    assert.equal(rules.code(), "git/too-slow");
    assert.equal(rules.status().nextAttemptMillis, now + waitMillis);
  }
  assert.equal(running(tree), 0);
});

test("git that the thread of the compiler runs ends with the service", async (t) => {
  const { rules, tree } = await behindBomb(t, "nothing", 60_000);
  const loading = rules.load();
  while (running(tree) === 0) await new Promise((resolve) => setTimeout(resolve, 20));
  await rules.sync.stop();
  await loading;
  assert.equal(running(tree), 0);
});

test("a name that is there twice in a tree is refused: people are shown one of the two files", async (t) => {
  const repository = await testRepository(t);
  const good = await repository.commit({ "a.yaml": allowing("/one") });
  const rules = await gitRules(t, repository.url);
  await rules.load();
  const shown = await repository.git("rev-parse", "HEAD:a.yaml");
  await writeFile(join(repository.folder, "hidden"), allowing("/hidden", "b"));
  const hidden = await repository.git("hash-object", "-w", "hidden");
  const entries = [hidden, shown].flatMap((name) => [Buffer.from("100644 a.yaml\0"), Buffer.from(name, "hex")]);
  await writeFile(join(repository.folder, "tree"), Buffer.concat(entries));
  const tree = await repository.git("hash-object", "-t", "tree", "--literally", "-w", "tree");
  const commit = await repository.git("commit-tree", tree, "-p", "HEAD", "-m", "twice");
  await repository.git("update-ref", "refs/heads/main", commit);
  assert.equal(await rules.load(), "refused");
  assert.deepEqual([rules.code(), rules.commit()], ["git/entry", good]);
  assert.equal(rules.status().candidate!.message, "`a.yaml` is there twice");
});
