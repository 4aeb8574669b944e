import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { type TestContext, test } from "node:test";
import { mendMirror } from "#authz/rulesets/git/mend-mirror";
import { describeRepository } from "#authz/rulesets/git/repository";
import type { GitSettings } from "#authz/rulesets/git/settings";
import { CodedError } from "#platform/coded-error";
import { forgeCommit, forgeObject } from "#test/support/git/forge-commit";
import { gitRules, gitSettings } from "#test/support/git/git-rules";
import { by, sshSigned } from "#test/support/git/ssh-signed";
import { allowing, type TestRepository } from "#test/support/git/test-repository";
import { tempFolder } from "#test/support/service/temp-folder";

/** Rules of a signed commit in force, and a record of what git is told. */
async function inForce(t: TestContext, more: Partial<GitSettings> = {}) {
  const scene = await sshSigned(t);
  const { repository, allowedSignersFile, signed } = scene;
  const bin = await tempFolder(t);
  const calls = join(bin, "calls");
  await writeFile(join(bin, "git"), `#!/bin/sh\necho "$1" >>${calls}\nPATH="\${PATH#*:}" exec git "$@"\n`, {
    mode: 0o755,
  });
  let good = await signed("ada", { "a.yaml": allowing("/one") });
  const rules = await gitRules(t, repository.url, {
    settings: { ...by("every", { allowedSignersFile }), ...more },
    outside: { PATH: [bin, process.env["PATH"]].join(delimiter) },
  });
  await rules.load();
  await rules.sync.follow();
  const mirror = join(rules.folder, "mirror.git");
  await writeFile(join(mirror, "mark"), "");
  let edits = 0;
  return {
    ...scene,
    rules,
    mirror,
    good: () => good,
    /** The next poll, and what git was told in it. */
    async poll() {
      await writeFile(calls, "");
      await rules.poll();
      return (await readFile(calls, "utf8")).trim().split("\n");
    },
    /** A signer's next commit on top of what is in force is in force at the next poll. */
    async repair(files: Record<string, string> = {}) {
      await repository.git("update-ref", "--no-deref", "refs/heads/main", good);
      await repository.git("reset", "--quiet", "--hard", good);
      good = await signed("ada", { "a.yaml": allowing(`/${edits++}`), ...files });
      await rules.poll();
      assert.deepEqual([rules.commit(), rules.status().current], [good, true], rules.logged());
    },
  };
}

const who = "Eve <eve@example.org> 1790000000 +0000";
const nothing = "1".repeat(40);

function commitOf(tree: string, parents: readonly string[]): string {
  return `tree ${tree}\n${parents.map((parent) => `parent ${parent}\n`).join("")}author ${who}\ncommitter ${who}\n\nevil\n`;
}

/** What somebody may make of the branch that the host's git does not get over. */
const unservable: readonly (readonly [string, (repository: TestRepository, good: string) => Promise<string>])[] = [
  ["has no tree", async (_, good) => commitOf(nothing, [good]).replace(/^tree .*\n/, "")],
  ["has a tree that is nowhere", async (_, good) => commitOf(nothing, [good])],
  ["has a parent that is nowhere", async (repository, good) => commitOf(await tree(repository, good), [good, nothing])],
  [
    "has a tree for a parent",
    async (repository, good) => {
      const its = await tree(repository, good);
      return commitOf(its, [good, its]);
    },
  ],
  [
    "has a tree that is cut",
    async (repository, good) => commitOf(await forgeObject(repository, "tree", "100644 a.yaml\0abc"), [good]),
  ],
  [
    "has a file without a name",
    async (repository, good) => {
      const file = Buffer.from(await repository.git("rev-parse", `${good}:a.yaml`), "hex");
      const its = await forgeObject(repository, "tree", Buffer.concat([Buffer.from("100644 \0"), file]));
      return commitOf(its, [good]);
    },
  ],
];

function tree(repository: TestRepository, commit: string): Promise<string> {
  return repository.git("rev-parse", `${commit}^{tree}`);
}

test("a commit that the remote cannot give is named, left alone by polls ever longer, and costs no mirror", async (t) => {
  const { repository, rules, mirror, good, poll, repair } = await inForce(t);
  for (const [what, make] of unservable) {
    const commit = await forgeCommit(repository, await make(repository, good()));
    const calls: string[][] = [];
    for (let i = 0; i < 4; i++) {
      calls.push(await poll());
      assert.deepEqual([rules.code(), rules.commit()], ["git/mirror", good()], what);
      assert.ok(rules.status().candidate!.message.includes(commit), rules.status().candidate!.message);
      assert.equal(rules.status().nextAttemptMillis, rules.time.clock.nowMillis() + 60_000);
    }
    const fetches = calls.map((told) => told.includes("fetch"));
    assert.deepEqual(fetches, [true, false, true, false], "after two minutes, and then after four");
    assert.ok((await readdir(mirror)).includes("mark"), "it is the mirror of before");
    assert.ok(!(await readdir(rules.folder)).some((name) => name.startsWith("mirror.git.")));
    await repair();
  }
});

/** Makes a commit the newest whose tree is lost: the file that had it, and its bytes. */
async function lackingTree(repository: TestRepository, good: string) {
  const lacking = await tree(repository, await repository.commit({ "a.yaml": allowing("/evil") }));
  const file = join(repository.folder, ".git/objects", lacking.slice(0, 2), lacking.slice(2));
  const bytes = await readFile(file);
  await forgeCommit(repository, commitOf(lacking, [good]));
  await rm(file);
  return { file, bytes };
}

test("whoever asks by name has such a commit tried at once", async (t) => {
  const { repository, rules, good, repair } = await inForce(t);
  const { file, bytes } = await lackingTree(repository, good());
  await rules.poll();
  assert.equal(rules.code(), "git/mirror");
  await writeFile(file, bytes);
  await rules.load();
  assert.equal(rules.code(), "git/signature", "it can be had, and nobody has signed it");
  await repair();
});

test("whoever asks by name gets no answer of before, also when a poll waits for its turn then", async (t) => {
  const { repository, rules, good, repair } = await inForce(t);
  const { file, bytes } = await lackingTree(repository, good());
  await rules.poll();
  assert.equal(rules.code(), "git/mirror");
  await writeFile(file, bytes);
  const pinning = rules.sync.pin({ commit: nothing, durationMillis: 1 });
  rules.time.step(60_000);
  await rules.load();
  assert.equal(rules.code(), "git/signature", "it can be had, and nobody has signed it");
  await pinning;
  await repair();
});

test("a branch that is a tree, or gone, is told, and polls come as ever", async (t) => {
  const { repository, rules, mirror, good, repair } = await inForce(t);
  for (const change of [
    async () => writeFile(join(repository.folder, ".git/refs/heads/main"), `${await tree(repository, good())}\n`),
    () => repository.git("update-ref", "-d", "refs/heads/main"),
  ]) {
    await change();
    for (let i = 0; i < 3; i++) {
      await rules.poll();
      assert.deepEqual([rules.code(), rules.commit()], ["git/unknown-reference", good()]);
      assert.equal(rules.status().nextAttemptMillis, rules.time.clock.nowMillis() + 60_000);
    }
    assert.ok((await readdir(mirror)).includes("mark"));
    await repair();
  }
});

test("a commit that is larger than the mirror may be is not fetched at each poll, and the mirror stays", async (t) => {
  const { repository, rules, mirror, good, poll, repair } = await inForce(t, { maxMirrorBytes: 4 * 1024 * 1024 });
  await repository.git("config", "uploadpack.allowFilter", "false");
  await repository.commit({ "large.bin": randomBytes(6 * 1024 * 1024).toString("latin1") });
  const first = await poll();
  assert.ok(first.includes("fetch"));
  for (let i = 0; i < 2; i++) {
    assert.deepEqual([rules.code(), rules.commit()], ["source/too-large", good()]);
    assert.equal(rules.status().nextAttemptMillis, rules.time.clock.nowMillis() + 60_000);
    assert.ok((await readdir(mirror)).includes("mark"));
    if (i === 0) assert.ok(!(await poll()).includes("fetch"));
  }
  await repair();
});

test("what was pushed and thrown away again does not keep a good commit out: a mirror that is full of it is made anew at once", async (t) => {
  const { repository, rules, good, repair } = await inForce(t, { maxMirrorBytes: 8 * 1024 * 1024 });
  const noise = (mebibytes: number) => ({ "noise.bin": randomBytes(mebibytes * 1024 * 1024).toString("base64") });
  for (let i = 0; i < 3; i++) {
    await repository.git("reset", "--quiet", "--hard", good());
    await repository.commit(noise(2));
    await rules.poll();
    assert.deepEqual([rules.code(), rules.commit()], ["git/signature", good()]);
  }
  await repair(noise(3));
});

test("what a program that was killed has left in the mirror is taken away", async (t) => {
  const { mirror, repair } = await inForce(t);
  for (const name of ["objects/pack/tmp_pack_x", ".git_vtag_tmpx"]) await writeFile(join(mirror, name), "");
  await repair();
  const left = await readdir(mirror, { recursive: true });
  assert.deepEqual(
    left.filter((name) => name.includes("tmp")),
    [],
  );
});

test("a mirror is put back where another has its fault too, unless the disk is full: it may be what fills it", async (t) => {
  const folder = await tempFolder(t);
  const repository = describeRepository(gitSettings("file:///nowhere", folder), {});
  for (const [why, isKept] of [
    ["the mirror cannot be brought up to date", true],
    ["fatal: write error: No space left on device", false],
  ] as const) {
    await mkdir(repository.mirror, { recursive: true });
    await writeFile(join(repository.mirror, "mark"), "");
    let takes = 0;
    const take = async () => {
      takes++;
      await mkdir(repository.mirror, { recursive: true });
      throw new CodedError("git/mirror", why);
    };
    await assert.rejects(
      mendMirror(repository, take, async () => undefined),
      { code: "git/mirror", message: why },
    );
    assert.deepEqual([takes, await readdir(folder)], [2, isKept ? ["mirror.git"] : []]);
    if (isKept) assert.deepEqual(await readdir(repository.mirror), ["mark"]);
  }
});

test("a hundred thousand references that end as the branch does do not hide it", async (t) => {
  const { repository, good, repair } = await inForce(t);
  const lines = Array.from({ length: 100_000 }, (_, i) => `${good()} refs/heads/${i}/refs/heads/main\n`);
  await writeFile(join(repository.folder, ".git/packed-refs"), `# pack-refs with:\n${lines.join("")}`);
  await repair();
});
