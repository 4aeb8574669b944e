import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { test } from "node:test";
import { gitRules } from "#test/support/git/git-rules";
import { allowing, type TestRepository, testRepository } from "#test/support/git/test-repository";

const long = process.env["GARITA_LONG"] === "1";
const [burst, files, megabytes] = long ? [5_000, 50_000, 100] : [500, 5_000, 20];

/** Writes history at the speed of git-fast-import(1). */
async function importInto(
  { folder, environment, git }: TestRepository,
  commands: Iterable<string | Buffer>,
): Promise<string> {
  const child = spawn("git", ["fast-import", "--quiet", "--force"], {
    cwd: folder,
    env: environment,
    stdio: ["pipe", "ignore", "inherit"],
  });
  const ended = once(child, "close");
  await pipeline(Readable.from(commands), child.stdin);
  assert.deepEqual((await ended)[0], 0);
  return git("rev-parse", "main");
}

const committer = "committer Ada <ada@example.org> 1790000000 +0000\n";
const inline = (path: string, content: string | Buffer) => [
  `M 100644 inline ${path}\ndata ${Buffer.byteLength(content)}\n`,
  content,
  "\n",
];

/** Bytes that do not compress, of a seed. */
function noise(sizeBytes: number, seed: number): Buffer {
  const bytes = Buffer.alloc(sizeBytes);
  let state = seed >>> 0 || 1;
  for (let i = 0; i < sizeBytes; i += 4) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    bytes.writeUInt32LE((state ^ (state >>> 15)) >>> 0, i);
  }
  return bytes;
}

async function mirrorBytes(folder: string): Promise<number> {
  const pack = join(folder, "mirror.git/objects/pack");
  const sizes = (await readdir(pack)).map(async (name) => (await stat(join(pack, name))).size);
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
}

test(`a burst of ${burst} commits between two looks: the newest is in force, and the history is followed`, async (t) => {
  const repository = await testRepository(t);
  const first = await repository.commit({ "a.yaml": allowing("/first") });
  const rules = await gitRules(t, repository.url);
  assert.equal(await rules.load(), "activated");
  const newest = await importInto(
    repository,
    (function* () {
      for (let i = 0; i < burst; i++) {
        yield `commit refs/heads/main\n${committer}data 1\nx\n${i === 0 ? `from ${first}\n` : ""}`;
        yield* inline("a.yaml", allowing(`/${i}`));
      }
    })(),
  );
  const begun = performance.now();
  assert.equal(await rules.load(), "activated", rules.logged());
  t.diagnostic(`${burst} commits in ${Math.round(performance.now() - begun)} ms`);
  assert.equal(rules.commit(), newest);
});

test(`commits come in while it looks, ${burst / 10} of them: each look is whole, and the last commit ends in force`, async (t) => {
  const repository = await testRepository(t);
  let newest = await repository.commit({ "a.yaml": allowing("/first") });
  const rules = await gitRules(t, repository.url);
  await rules.load();
  for (let i = 0; i < burst / 50; i++) {
    const from = newest;
    const looking = Promise.all([rules.load(), rules.load(), rules.load()]);
    newest = await importInto(
      repository,
      (function* () {
        for (let j = 0; j < 5; j++) {
          yield `commit refs/heads/main\n${committer}data 1\nx\n${j === 0 ? `from ${from}\n` : ""}`;
          yield* inline("a.yaml", allowing(`/${i}-${j}`));
        }
      })(),
    );
    assert.ok(!(await looking).includes("refused"), rules.logged());
  }
  await rules.load();
  assert.equal(rules.commit(), newest);
});

test(`a repository of ${files} files: the policies among them are in force`, async (t) => {
  const repository = await testRepository(t);
  const newest = await importInto(
    repository,
    (function* () {
      yield `commit refs/heads/main\n${committer}data 1\nx\n`;
      for (let i = 0; i < files; i++) yield* inline(`source/${i % 500}/${i}.txt`, `${i}`);
      yield* inline("policies/a.yaml", allowing("/a"));
    })(),
  );
  const rules = await gitRules(t, repository.url, { settings: { path: "policies" } });
  const begun = performance.now();
  assert.equal(await rules.load(), "activated", rules.logged());
  t.diagnostic(`${files} files in ${Math.round(performance.now() - begun)} ms`);
  assert.deepEqual([rules.commit(), rules.status().active?.files], [newest, 1]);
});

test(`a repository of ${megabytes} MB: what no policy file can be stays with the host`, async (t) => {
  const repository = await testRepository(t);
  const seed = 20_261_126;
  t.diagnostic(`seed ${seed}`);
  // Larger than a policy file can be.
  const eachMegabytes = 20;
  await importInto(
    repository,
    (function* () {
      yield `commit refs/heads/main\n${committer}data 1\nx\n`;
      for (let i = 0; i < megabytes / eachMegabytes; i++) {
        yield* inline(`images/${i}.bin`, noise(eachMegabytes * 1024 * 1024, seed + i));
      }
      yield* inline("policies/a.yaml", allowing("/a"));
    })(),
  );
  const rules = await gitRules(t, repository.url, { settings: { path: "policies", maxMirrorBytes: 4 * 1024 * 1024 } });
  const begun = performance.now();
  assert.equal(await rules.load(), "activated", rules.logged());
  const held = await mirrorBytes(rules.folder);
  t.diagnostic(`${megabytes} MB in ${Math.round(performance.now() - begun)} ms, the mirror holds ${held} bytes`);
  assert.ok(held < 1024 * 1024, `${held}`);
});

test(`a repository of ${megabytes} MB from a host that cannot leave anything out is taken whole, within its limit`, async (t) => {
  const repository = await testRepository(t);
  await repository.git("config", "uploadpack.allowFilter", "false");
  await importInto(
    repository,
    (function* () {
      yield `commit refs/heads/main\n${committer}data 1\nx\n`;
      for (let i = 0; i < megabytes / 10; i++) yield* inline(`images/${i}.bin`, noise(10 * 1024 * 1024, i + 1));
      yield* inline("policies/a.yaml", allowing("/a"));
    })(),
  );
  const rules = await gitRules(t, repository.url, { settings: { path: "policies" } });
  const begun = performance.now();
  assert.equal(await rules.load(), "activated", rules.logged());
  t.diagnostic(`${megabytes} MB in ${Math.round(performance.now() - begun)} ms`);
  const small = await gitRules(t, repository.url, { settings: { path: "policies", maxMirrorBytes: 1024 * 1024 } });
  await small.load();
  assert.equal(small.code(), "source/too-large");
});

test("a compiler's thread that has ended between two commits is not waited for", { timeout: 60_000 }, async (t) => {
  const repository = await testRepository(t);
  await repository.commit({ "a.yaml": allowing("/one") });
  const ending = `export const runTests = () => { setTimeout(() => process.exit(), 0); return { tests: 0, failures: [] }; };`;
  const rules = await gitRules(t, repository.url, { testModule: `data:text/javascript,${encodeURIComponent(ending)}` });
  assert.equal(await rules.load(), "activated", rules.logged());
  const second = await repository.commit({ "a.yaml": allowing("/two") });
  assert.equal(await rules.load(), "activated", rules.logged());
  assert.equal(rules.commit(), second);
});
