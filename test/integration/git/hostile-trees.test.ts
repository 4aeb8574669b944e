import assert from "node:assert/strict";
import { access, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { gitRules } from "#test/support/git/git-rules";
import { allowing, testRepository } from "#test/support/git/test-repository";

/** Rules in force, and a newer commit: a few objects, that are 3^40 entries when they are walked. */
async function behindBomb(t: TestContext, leaf: "file" | "nothing") {
  const repository = await testRepository(t);
  await repository.commit({ "a.yaml": allowing("/one") });
  const rules = await gitRules(t, repository.url);
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
  return { repository, rules };
}

for (const leaf of ["file", "nothing"] as const) {
  test(`a tree of endless folders with ${leaf} in them is too large, which is remembered, and the next good commit repairs it`, async (t) => {
    const { repository, rules } = await behindBomb(t, leaf);
    assert.equal(await rules.load(), "refused");
    assert.equal(rules.code(), "source/too-large");
    const mirror = join(rules.folder, "mirror.git");
    await rm(mirror, { recursive: true });
    await rules.load();
    assert.equal(rules.code(), "source/too-large");
    await assert.rejects(access(mirror), { code: "ENOENT" }, "it is not even fetched again");
    await repository.git("commit", "--quiet", "--allow-empty", "-m", "mended");
    const mended = await repository.git("rev-parse", "HEAD");
    assert.equal(await rules.load(), "activated", rules.logged());
    assert.deepEqual([rules.commit(), rules.status().current], [mended, true]);
  });
}

test("a name that is there twice in a tree is refused: people are shown one of the two files, or folders", async (t) => {
  const repository = await testRepository(t);
  const good = await repository.commit({ "a.yaml": allowing("/one"), "p/b.yaml": allowing("/shown", "b") });
  const rules = await gitRules(t, repository.url);
  await rules.load();
  const hidden = await repository.commit({ "a.yaml": allowing("/hidden", "h"), "p/b.yaml": allowing("/hidden", "i") });
  for (const [mode, name] of [
    ["100644", "a.yaml"],
    ["40000", "p"],
  ] as const) {
    const both = await Promise.all([good, hidden].map((commit) => repository.git("rev-parse", `${commit}:${name}`)));
    const entries = both.flatMap((object) => [Buffer.from(`${mode} ${name}\0`), Buffer.from(object, "hex")]);
    await writeFile(join(repository.folder, "tree"), Buffer.concat(entries));
    const tree = await repository.git("hash-object", "-t", "tree", "--literally", "-w", "tree");
    const commit = await repository.git("commit-tree", tree, "-p", good, "-m", "twice");
    await repository.git("update-ref", "refs/heads/main", commit);
    assert.equal(await rules.load(), "refused");
    assert.deepEqual([rules.code(), rules.commit()], ["git/entry", good]);
    assert.equal(rules.status().candidate!.message, `\`${name}\` is there twice`);
  }
});

test("names that are no UTF-8 are names all the same", async (t) => {
  const repository = await testRepository(t);
  for (const byte of [0xe8, 0xe9]) {
    await writeFile(Buffer.concat([Buffer.from(`${repository.folder}/`), Buffer.from([byte])]), "x");
  }
  await repository.commit({ "a.yaml": allowing("/one") });
  const rules = await gitRules(t, repository.url);
  assert.equal(await rules.load(), "activated", rules.logged());
});

test("a commit with megabytes of a subject is taken, and told without it", async (t) => {
  const repository = await testRepository(t);
  await repository.commit({ "a.yaml": allowing("/one"), "subject.txt": "x".repeat(5 * 1024 * 1024) });
  await repository.git("commit", "--quiet", "--amend", "--file", "subject.txt");
  const rules = await gitRules(t, repository.url);
  assert.equal(await rules.load(), "activated", rules.logged());
  assert.deepEqual(rules.status().active?.revision, {
    commit: await repository.git("rev-parse", "HEAD"),
    signer: undefined,
  });
});
