import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { chmod, readdir, rename, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { describeRepository } from "#authz/rulesets/git/repository";
import type { GitSettings } from "#authz/rulesets/git/settings";
import { gitRules, gitSettings } from "#test/support/git/git-rules";
import { httpBackend } from "#test/support/git/http-backend";
import { allowing, testRepository } from "#test/support/git/test-repository";
import { tempFolder } from "#test/support/service/temp-folder";

const token = "s3cret-t0ken";

async function tokenSettings(t: TestContext, content = `${token}\n`, mode = 0o600): Promise<Partial<GitSettings>> {
  const tokenFile = join(await tempFolder(t), "token with 'space");
  await writeFile(tokenFile, content, { mode: 0o600 });
  await chmod(tokenFile, mode);
  return { credentials: { ...gitSettings("", "").credentials, tokenFile, username: "robot" } };
}

test("policies come over smart HTTP, without a history at first", async (t) => {
  const repository = await testRepository(t);
  await repository.commit({ "a.yaml": allowing("/one") });
  await repository.commit({ "a.yaml": allowing("/two") });
  const { url } = await httpBackend(t, repository.folder);
  const rules = await gitRules(t, url);
  assert.equal(await rules.load(), "activated", rules.logged());
  const own = ["--git-dir", join(rules.folder, "mirror.git"), "rev-list", "--all", "--count"];
  assert.equal(await repository.git(...own), "1");
  const next = await repository.commit({ "a.yaml": allowing("/three") });
  assert.equal(await rules.load(), "activated");
  assert.deepEqual([rules.commit(), await repository.git(...own)], [next, "2"]);
});

test("a server without git behind it gives the whole history", async (t) => {
  const repository = await testRepository(t);
  await repository.commit({ "a.yaml": allowing("/one") });
  const newest = await repository.commit({ "a.yaml": allowing("/two") });
  await repository.git("update-server-info");
  const { url } = await httpBackend(t, repository.folder, { dumb: true });
  const rules = await gitRules(t, url);
  assert.equal(await rules.load(), "activated", rules.logged());
  assert.equal(rules.commit(), newest);
});

test("what such a server gives is bounded too", async (t) => {
  const repository = await testRepository(t);
  await repository.commit({ "a.yaml": allowing("/one"), "large.bin": randomBytes(3 * 1024 * 1024).toString("base64") });
  await repository.git("update-server-info");
  const { url } = await httpBackend(t, repository.folder, { dumb: true });
  const rules = await gitRules(t, url, { settings: { maxMirrorBytes: 1024 * 1024 } });
  assert.equal(await rules.load(), "refused");
  assert.equal(rules.code(), "source/too-large", rules.logged());
});

test("a token out of a file opens the door, is read at each attempt, and is told nowhere", async (t) => {
  const repository = await testRepository(t);
  await repository.commit({ "a.yaml": allowing("/one") });
  const { url, seen } = await httpBackend(t, repository.folder, { credential: `robot:${token}` });
  const settings = await tokenSettings(t, "another\n");
  const rules = await gitRules(t, url, { settings });
  await rules.load();
  assert.equal(rules.code(), "git/unreachable");
  await writeFile(settings.credentials!.tokenFile!, `${token}\r\n`);
  assert.equal(await rules.load(), "activated", rules.logged());
  assert.ok(seen.some(({ authorization }) => authorization !== undefined));
  const told = rules.logged() + JSON.stringify(rules.status());
  assert.ok(!told.includes(token) && !told.includes(Buffer.from(`robot:${token}`).toString("base64")));
  assert.ok(!told.includes("another\\n"));
});

test("a token that others can read, or that is not there, is refused before anything is asked", async (t) => {
  const repository = await testRepository(t);
  await repository.commit({ "a.yaml": allowing("/one") });
  const { url, seen } = await httpBackend(t, repository.folder);
  for (const [settings, code] of [
    [await tokenSettings(t, token, 0o644), "secret/exposed"],
    [await tokenSettings(t, "\n"), "secret/empty"],
    [await tokenSettings(t, `${token}\nusername=another\n`), "git/argument"],
    [await tokenSettings(t, `${token}\u0000`), "git/argument"],
    [{ credentials: { ...gitSettings("", "").credentials, tokenFile: "/none" } }, "secret/unreadable"],
  ] as const) {
    const rules = await gitRules(t, url, { settings });
    await rules.load();
    assert.equal(rules.code(), code);
  }
  assert.deepEqual(seen, []);
});

test("a server that sends elsewhere is not followed, and the other one gets no token", async (t) => {
  const repository = await testRepository(t);
  await repository.commit({ "a.yaml": allowing("/one") });
  const other = await httpBackend(t, repository.folder);
  const { url } = await httpBackend(t, repository.folder, { redirect: new URL(other.url).origin });
  const rules = await gitRules(t, url, { settings: await tokenSettings(t) });
  assert.equal(await rules.load(), "refused");
  assert.deepEqual([rules.code(), other.seen], ["git/unreachable", []]);
});

test("nothing of the user's git, and no variable of it, counts", async (t) => {
  const repository = await testRepository(t);
  await repository.commit({ "a.yaml": allowing("/one") });
  const home = await tempFolder(t);
  const evil = `[url "file:///nowhere/"]\n\tinsteadOf = ${repository.url}\n[core]\n\tsshCommand = false\n`;
  await writeFile(join(home, ".gitconfig"), evil);
  const folder = await tempFolder(t);
  const outside = {
    PATH: process.env["PATH"],
    HOME: home,
    XDG_CONFIG_HOME: home,
    GIT_CONFIG_GLOBAL: join(home, ".gitconfig"),
    GIT_DIR: "/nowhere",
    GIT_QUARANTINE_PATH: join(folder, "mirror.git/objects/incoming"),
    GIT_OBJECT_DIRECTORY: "/nowhere",
    GIT_CONFIG_PARAMETERS: "'core.bare'='nonsense'",
    GIT_EXEC_PATH: "/nowhere",
  };
  const rules = await gitRules(t, repository.url, { outside, folder });
  assert.equal(await rules.load(), "activated", rules.logged());
});

test("without git on the PATH the status says so", async (t) => {
  const rules = await gitRules(t, "file:///nowhere", { outside: { PATH: await tempFolder(t) } });
  await rules.load();
  assert.equal(rules.code(), "git/missing");
});

/** A host that takes connections, and says nothing until it is told to. */
async function silentHost(t: TestContext) {
  const server = createServer(() => undefined).listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/x.git`;
}

test("a host that is silent is given up", async (t) => {
  const rules = await gitRules(t, await silentHost(t), { settings: { timeoutMillis: 400 } });
  assert.equal(await rules.load(), "refused");
  assert.equal(rules.code(), "git/too-slow", rules.logged());
});

test("a host that is silent at a start keeps the rules of the last run waiting for ten seconds, and later has its whole time", async (t) => {
  const repository = await testRepository(t);
  const good = await repository.commit({ "a.yaml": allowing("/one") });
  const url = await silentHost(t);
  const folder = await tempFolder(t);
  const kept = await gitRules(t, repository.url, { folder });
  await kept.load();
  await rename(
    await keptFile(folder),
    join(folder, `last-known-good-${describeRepository(gitSettings(url, ""), {}).key}`),
  );
  const rules = await gitRules(t, url, { folder });
  for (const [patienceMillis, result] of [
    [10_000, "activated"],
    [60_000, "refused"],
  ] as const) {
    const loading = rules.load();
    while (rules.time.nextMillis() !== patienceMillis) await new Promise((resolve) => setTimeout(resolve, 20));
    rules.time.step(patienceMillis);
    assert.equal(await loading, result);
    assert.deepEqual([rules.commit(), rules.code()], [good, "git/too-slow"]);
  }
});

async function keptFile(folder: string): Promise<string> {
  const [name = ""] = (await readdir(folder)).filter((each) => each.startsWith("last-known-good-"));
  return join(folder, name);
}
