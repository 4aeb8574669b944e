import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { test } from "node:test";
import { lockFolder } from "#authz/rulesets/git/lock-folder";
import { gitRules } from "#test/support/git/git-rules";
import { allowing, testRepository } from "#test/support/git/test-repository";
import { handTimers } from "#test/support/rulesets/hand-timers";
import { tempFolder } from "#test/support/service/temp-folder";
import { until } from "#test/support/until";

async function inForce(t: Parameters<typeof gitRules>[0]) {
  const repository = await testRepository(t);
  await repository.commit({ "a.yaml": allowing("/one") });
  const rules = await gitRules(t, repository.url);
  assert.equal(await rules.load(), "activated", rules.logged());
  return { repository, rules, mirror: join(rules.folder, "mirror.git") };
}

const damages: readonly (readonly [string, (mirror: string) => Promise<void>])[] = [
  ["its configuration is nonsense", (mirror) => writeFile(join(mirror, "config"), "[broken")],
  ["it has no HEAD", (mirror) => rm(join(mirror, "HEAD"))],
  ["its objects are gone", (mirror) => rm(join(mirror, "objects"), { recursive: true })],
  ["it is gone", (mirror) => rm(mirror, { recursive: true })],
  [
    "it is a file",
    async (mirror) => {
      await rm(mirror, { recursive: true });
      await writeFile(mirror, "");
    },
  ],
  [
    "its objects are bytes of chance",
    async (mirror) => {
      for (const path of await readdir(join(mirror, "objects"), { recursive: true, withFileTypes: true })) {
        if (path.isFile()) {
          await rm(join(path.parentPath, path.name));
          await writeFile(join(path.parentPath, path.name), "chance");
        }
      }
    },
  ],
  [
    "its references are nonsense",
    async (mirror) => {
      for (const path of await readdir(join(mirror, "refs"), { recursive: true, withFileTypes: true })) {
        if (path.isFile()) await writeFile(join(path.parentPath, path.name), "nonsense\n");
      }
    },
  ],
  [
    "locks of a killed git are left",
    async (mirror) => {
      for (const name of ["shallow.lock", "config.lock", "packed-refs.lock"]) await writeFile(join(mirror, name), "");
    },
  ],
];

for (const [what, damage] of damages) {
  test(`the mirror is mended when ${what}`, async (t) => {
    const { repository, rules, mirror } = await inForce(t);
    await damage(mirror);
    const next = await repository.commit({ "a.yaml": allowing("/two") });
    assert.equal(await rules.load(), "activated", rules.logged());
    assert.deepEqual([rules.commit(), rules.status().current], [next, true]);
    const more = await repository.commit({ "a.yaml": allowing("/three") });
    await rules.load();
    assert.equal(rules.commit(), more, "and goes on");
  });
}

test("a folder that cannot be used is told, and decisions go on", async (t) => {
  const { repository, rules } = await inForce(t);
  await rm(rules.folder, { recursive: true });
  await writeFile(rules.folder, "");
  await repository.commit({ "a.yaml": allowing("/two") });
  assert.equal(await rules.load(), "refused");
  assert.deepEqual([rules.code(), rules.status().ready], ["git/mirror", true]);
  await rm(rules.folder);
  assert.equal(await rules.load(), "activated", rules.logged());
});

test("a rewritten history is refused, unless it is allowed; also after the mirror was lost, and after a restart", async (t) => {
  const { repository, rules } = await inForce(t);
  const good = rules.commit();
  await repository.git("commit", "--quiet", "--amend", "-m", "rewritten");
  const forced = await repository.commit({ "a.yaml": allowing("/two") });
  assert.equal(await rules.load(), "refused");
  assert.deepEqual([rules.code(), rules.commit()], ["git/forced", good]);
  await rm(join(rules.folder, "mirror.git"), { recursive: true });
  assert.equal(await rules.load(), "refused");
  assert.equal(rules.code(), "git/forced");
  await rules.sync.stop();
  const again = await gitRules(t, repository.url, { folder: rules.folder });
  await again.load();
  assert.deepEqual([again.code(), again.commit()], ["git/forced", good], "the rules of the last run are in force");
  await again.sync.stop();
  const lax = await gitRules(t, repository.url, { folder: rules.folder, settings: { allowForced: true } });
  assert.equal(await lax.load(), "activated", lax.logged());
  assert.equal(lax.commit(), forced);
});

test("while a rewritten history is refused polls come as ever, and the next one sees it put right", async (t) => {
  const repository = await testRepository(t);
  const good = await repository.commit({ "a.yaml": allowing("/one") });
  const rules = await gitRules(t, repository.url);
  await rules.load();
  await rules.sync.follow();
  await repository.git("commit", "--quiet", "--amend", "-m", "rewritten");
  for (let i = 0; i < 3; i++) {
    assert.deepEqual([await rules.load(), rules.code()], ["refused", "git/forced"]);
    assert.equal(rules.status().nextAttemptMillis, rules.time.clock.nowMillis() + 60_000);
  }
  await repository.git("reset", "--quiet", "--hard", good);
  assert.equal(await rules.load(), "unchanged");
  assert.deepEqual([rules.commit(), rules.status().current], [good, true]);
  const next = await repository.commit({ "a.yaml": allowing("/two") });
  await rules.load();
  assert.deepEqual([rules.commit(), rules.status().current], [next, true]);
});

test("a remote whose own history is cut off anew has a rewritten history: what is in force is not called the newest", async (t) => {
  const repository = await testRepository(t);
  const good = await repository.commit({ "a.yaml": allowing("/one") });
  const clone = await tempFolder(t);
  await repository.git("clone", "--quiet", "--bare", "--depth=1", repository.url, clone);
  const rules = await gitRules(t, `file://${clone}`);
  await rules.load();
  await repository.commit({ "a.yaml": allowing("/two") });
  await repository.commit({ "a.yaml": allowing("/three") });
  await repository.git("--git-dir", clone, "fetch", "--quiet", "--depth=1", repository.url, "+main:main");
  assert.equal(await rules.load(), "refused");
  assert.deepEqual([rules.code(), rules.commit(), rules.status().current], ["git/forced", good, false]);
});

test("a history that goes on is followed after the mirror was lost", async (t) => {
  const { repository, rules } = await inForce(t);
  for (let i = 0; i < 5; i++) await repository.commit({ "a.yaml": allowing(`/${i}`) });
  await rm(join(rules.folder, "mirror.git"), { recursive: true });
  const newest = await repository.git("rev-parse", "HEAD");
  assert.equal(await rules.load(), "activated", rules.logged());
  assert.equal(rules.commit(), newest);
});

test("only the newest commit is fetched at first, and only what lies between later", async (t) => {
  const repository = await testRepository(t);
  for (let i = 0; i < 5; i++) await repository.commit({ "a.yaml": allowing(`/${i}`) });
  const again = await gitRules(t, repository.url);
  await again.load();
  const own = join(again.folder, "mirror.git");
  assert.equal(await repository.git("--git-dir", own, "rev-list", "--all", "--count"), "1");
  for (let i = 0; i < 3; i++) await repository.commit({ "a.yaml": allowing(`/x${i}`) });
  await again.load();
  assert.equal(await repository.git("--git-dir", own, "rev-list", "--all", "--count"), "4");
});

test("what is larger than a policy file stays at the server, and is no policy", async (t) => {
  const repository = await testRepository(t);
  await repository.commit({ "a.yaml": allowing("/one"), "large.bin": "x".repeat(17 * 1024 * 1024) });
  const rules = await gitRules(t, repository.url);
  assert.equal(await rules.load(), "activated", rules.logged());
  const large = await repository.git("rev-parse", "HEAD:large.bin");
  const listed = await repository.git(
    "--git-dir",
    join(rules.folder, "mirror.git"),
    "cat-file",
    "--batch-all-objects",
    "--batch-check",
  );
  assert.ok(!listed.includes(large), "the large object was not fetched");
  const good = rules.commit();
  await repository.commit({ "b.yaml": "x".repeat(17 * 1024 * 1024) });
  assert.equal(await rules.load(), "refused");
  assert.deepEqual([rules.commit(), rules.code()], [good, "git/absent"]);
  assert.match(rules.status().candidate!.message, /`b\.yaml` was not sent: a policy file has at most 16777216 bytes/);
  await repository.commit({ "b.yaml": undefined });
  assert.equal(await rules.load(), "activated", "and the next good commit repairs it");
  assert.equal(rules.status().current, true);
});

test("a tag of a tag is its commit; a tag of something else is told, and leaves the mirror alone", async (t) => {
  const { repository, rules, mirror } = await inForce(t);
  await repository.git("tag", "-a", "-m", "one", "inner", "HEAD");
  await repository.git("tag", "-a", "-m", "two", "outer", "inner");
  await repository.git("tag", "blob", "HEAD:a.yaml");
  await repository.git("tag", "-a", "-m", "a tree", "tree", "HEAD^{tree}");
  const tagged = (name: string) =>
    gitRules(t, repository.url, { folder: rules.folder, settings: { reference: { kind: "tag", name } } });
  const outer = await tagged("outer");
  assert.equal(await outer.load(), "activated", outer.logged());
  assert.equal(outer.commit(), rules.commit());
  await writeFile(join(mirror, "mark"), "");
  for (const type of ["blob", "tree"]) {
    const other = await tagged(type);
    await other.load();
    assert.equal(other.code(), "git/unknown-reference", other.logged());
    assert.match(other.status().candidate!.message, new RegExp(`names a ${type}: expected a commit$`));
  }
  await readFile(join(mirror, "mark"));
});

test("a mirror that grows too large is ended", async (t) => {
  const repository = await testRepository(t);
  await repository.commit({ "a.yaml": allowing("/one") });
  await repository.commit({ "a.bin": randomBytes(3 * 1024 * 1024).toString("base64") });
  const rules = await gitRules(t, repository.url, { settings: { maxMirrorBytes: 1024 * 1024 } });
  assert.equal(await rules.load(), "refused");
  assert.equal(rules.code(), "source/too-large", rules.logged());
});

test("a mirror whose tidying takes too long is read all the same", async (t) => {
  const repository = await testRepository(t);
  const commit = await repository.commit({ "a.yaml": allowing("/one") });
  const bin = await tempFolder(t);
  const begun = join(bin, "begun");
  const git = `#!/bin/sh\n[ "$1" = gc ] && echo >'${begun}' && exec sleep 600\nPATH="\${PATH#*:}" exec git "$@"\n`;
  await writeFile(join(bin, "git"), git, { mode: 0o755 });
  const outside = { PATH: [bin, process.env["PATH"]].join(delimiter) };
  const rules = await gitRules(t, repository.url, { outside, settings: { timeoutMillis: 30_000 } });
  const loading = rules.load();
  await until(() => existsSync(begun));
  rules.time.step(30_000);
  assert.equal(await loading, "activated", rules.logged());
  assert.equal(rules.commit(), commit);
});

test("two services on one folder do not break each other", async (t) => {
  const repository = await testRepository(t);
  await repository.commit({ "a.yaml": allowing("/one") });
  await repository.git("branch", "other");
  const folder = await tempFolder(t);
  const other = { reference: { kind: "branch", name: "other" } } as const;
  const [first, second, third] = await Promise.all([
    gitRules(t, repository.url, { folder }),
    gitRules(t, repository.url, { folder }),
    gitRules(t, repository.url, { folder, settings: other }),
  ]);
  const kept = await repository.git("rev-parse", "other");
  for (let i = 0; i < 4; i++) {
    const commit = await repository.commit({ "a.yaml": allowing(`/${i}`) });
    const results = await Promise.all([first.load(), second.load(), third.load()]);
    assert.deepEqual(results.slice(0, 2), ["activated", "activated"], first.logged() + second.logged());
    assert.deepEqual([first.commit(), second.commit(), third.commit()], [commit, commit, kept], third.logged());
  }
});

test("a folder that another service keeps to itself is told after a while", async (t) => {
  const folder = await tempFolder(t);
  const { clock, timers } = handTimers();
  const parts = { file: join(folder, "lock"), clock, timers };
  const release = await lockFolder({ ...parts, patienceMillis: 0 });
  await assert.rejects(lockFolder({ ...parts, patienceMillis: 120 }), { code: "git/locked" });
  const waiting = lockFolder({ ...parts, patienceMillis: 60_000 });
  release();
  (await waiting)();
});

test("a burst of commits is one step", async (t) => {
  const { repository, rules } = await inForce(t);
  for (let i = 0; i < 60; i++) await repository.commit({ "a.yaml": allowing(`/${i}`) });
  const newest = await repository.git("rev-parse", "HEAD");
  assert.equal(await rules.load(), "activated", rules.logged());
  assert.equal(rules.commit(), newest);
});

test("nothing of the repository is run, and no attribute of it changes a file", async (t) => {
  const repository = await testRepository(t);
  const marker = join(await tempFolder(t), "ran");
  await writeFile(join(repository.folder, ".git/hooks/post-update"), `#!/bin/sh\ntouch ${marker}\n`, { mode: 0o755 });
  await repository.git("config", "filter.evil.smudge", `touch ${marker}`);
  await repository.commit({
    ".gitattributes": "*.yaml filter=evil ident export-subst\n",
    ".gitmodules": `[submodule "x"]\n\tpath = x\n\turl = ext::sh -c touch% ${marker}\n`,
    ".lfsconfig": `[lfs]\n\turl = ext::sh -c touch% ${marker}\n`,
    "a.yaml": `# $Id$ $Format:%H$\n${allowing("/one")}`,
  });
  const rules = await gitRules(t, repository.url);
  assert.equal(await rules.load(), "activated", rules.logged());
  await assert.rejects(readFile(marker), { code: "ENOENT" });
});

test("links, submodules and pointers of LFS are refused where policies would lack", async (t) => {
  const repository = await testRepository(t);
  const good = await repository.commit({ "p/a.yaml": allowing("/one"), "docs/x.md": "x" });
  const rules = await gitRules(t, repository.url, { settings: { path: "p" } });
  await rules.load();
  const at = (path: string) => join(repository.folder, path);
  const odd: readonly (readonly [string, () => Promise<unknown>, RegExp])[] = [
    ["p/b.yaml", () => symlink("a.yaml", at("p/b.yaml")), /`b\.yaml` is a link/],
    [
      "p/all",
      async () => {
        await mkdir(at("p/real"));
        await writeFile(at("p/real/c.txt"), "c");
        await symlink("real", at("p/all"));
      },
      /`all` is a link to a folder/,
    ],
    ["p/out", () => symlink("../docs", at("p/out")), /`out` is a link to a folder/],
    [
      "p/l.yaml",
      () => writeFile(at("p/l.yaml"), "version https://git-lfs.github.com/spec/v1\noid sha256:1\n"),
      /`l\.yaml` is kept by LFS/,
    ],
  ];
  for (const [path, make, message] of odd) {
    await make();
    await repository.commit({});
    assert.equal(await rules.load(), "refused", path);
    assert.deepEqual([rules.code(), rules.commit()], ["git/entry", good]);
    assert.match(rules.status().candidate!.message, message);
    await rm(at(path));
  }
  await repository.commit({});
  await repository.git("update-index", "--add", "--cacheinfo", `160000,${good},p/sub`);
  await repository.git("commit", "--quiet", "-m", "a submodule");
  await rules.load();
  assert.match(rules.status().candidate!.message, /`sub` is a submodule/);
  await repository.git("rm", "--quiet", "--cached", "p/sub");
  await repository.git("commit", "--quiet", "-m", "mended");
  await rules.load();
  assert.equal(rules.status().current, true);
});
