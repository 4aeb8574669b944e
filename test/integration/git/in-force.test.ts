import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { rename, rm, writeFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { longestBuildMillis } from "#authz/rulesets/builder";
import { gitRules } from "#test/support/git/git-rules";
import { allowing, testRepository } from "#test/support/git/test-repository";
import { handTimers } from "#test/support/rulesets/hand-timers";
import { afterAll } from "#test/support/service/after-all";
import { tempFolder } from "#test/support/service/temp-folder";

test("a commit comes into force with its name, subject and author, and is not compiled again", async (t) => {
  const repository = await testRepository(t);
  const first = await repository.commit({ "p/a.yaml": allowing("/one") }, "one path");
  const rules = await gitRules(t, repository.url);
  assert.equal(await rules.load(), "activated", rules.logged());
  assert.equal(rules.commit(), first);
  const { active, current, ready } = rules.status();
  assert.deepEqual(active?.revision, { commit: first, subject: "one path", author: "Ada", signer: undefined });
  assert.deepEqual([ready, current, active?.files], [true, true, 1]);
  const since = active?.sinceMillis;
  rules.time.step(5_000);
  assert.equal(await rules.load(), "unchanged");
  assert.equal(rules.status().active?.sinceMillis, since);
  assert.equal(rules.status().lastSuccessMillis, rules.time.clock.nowMillis());
});

test("a bad commit changes nothing but the status; the next good one repairs it", async (t) => {
  const repository = await testRepository(t);
  const good = await repository.commit({ "a.yaml": allowing("/one") });
  const rules = await gitRules(t, repository.url);
  await rules.load();
  const bad = await repository.commit({ "a.yaml": "kind: [" }, "a bad one");
  assert.equal(await rules.load(), "refused");
  assert.match(rules.logged(), new RegExp(`"level":"error".*"commit":"${bad}","subject":"a bad one","author":"Ada"`));
  const { candidate, degraded, current, ready } = rules.status();
  assert.deepEqual([rules.commit(), candidate?.code, current, ready], [good, "policy/invalid", false, true]);
  assert.deepEqual([candidate?.revision?.commit, candidate?.diagnostics[0]?.file], [bad, "a.yaml"]);
  assert.ok(degraded);
  assert.equal(await rules.load(), "refused", "asked again, and not compiled again");
  const errors = () => rules.logged().match(/"level":"error"/g)?.length;
  assert.equal(errors(), 1, "told once");
  const another = await repository.commit({ "README.md": "no mend" });
  await rules.load();
  assert.equal(errors(), 2, "of another commit the same fault is told again");
  assert.equal(rules.status().candidate?.revision?.commit, another);
  const mended = await repository.commit({ "a.yaml": allowing("/two") });
  assert.equal(await rules.load(), "activated");
  assert.deepEqual([rules.commit(), rules.status().current], [mended, true]);
});

test("a revert of a bad commit to the commit in force is current again", async (t) => {
  const repository = await testRepository(t);
  const good = await repository.commit({ "a.yaml": allowing("/one") });
  const rules = await gitRules(t, repository.url);
  await rules.load();
  await repository.commit({ "a.yaml": "kind: [" });
  await rules.load();
  await repository.git("reset", "--quiet", "--hard", good);
  assert.equal(await rules.load(), "unchanged");
  assert.deepEqual([rules.commit(), rules.status().current], [good, true]);
});

test("a commit that changes no rule is the one that decisions name", async (t) => {
  const repository = await testRepository(t);
  await repository.commit({ "a.yaml": allowing("/one") });
  const rules = await gitRules(t, repository.url);
  await rules.load();
  const next = await repository.commit({ "README.md": "hello" });
  assert.equal(await rules.load(), "activated");
  assert.deepEqual([rules.commit(), rules.status().active?.revision?.commit], [next, next]);
});

test("Git away in mid-run: decisions go on, polls back off, and the next answer is current", async (t) => {
  const repository = await testRepository(t);
  const good = await repository.commit({ "a.yaml": allowing("/one") });
  const rules = await gitRules(t, repository.url);
  await rules.load();
  await rules.sync.follow();
  assert.equal(rules.status().nextAttemptMillis, rules.time.clock.nowMillis() + 60_000);
  await rename(repository.folder, `${repository.folder}.away`);
  afterAll(t, () => rm(`${repository.folder}.away`, { recursive: true, force: true }));
  const waits: number[] = [];
  for (let i = 0; i < 6; i++) {
    assert.equal(await rules.load(), "refused");
    waits.push(rules.status().nextAttemptMillis! - rules.time.clock.nowMillis());
  }
  assert.deepEqual(waits, [120_000, 240_000, 480_000, 600_000, 600_000, 600_000]);
  assert.deepEqual([rules.commit(), rules.code(), rules.status().ready], [good, "git/unreachable", true]);
  await rename(`${repository.folder}.away`, repository.folder);
  assert.equal(await rules.load(), "unchanged");
  assert.equal(rules.status().current, true);
  assert.equal(rules.status().nextAttemptMillis, rules.time.clock.nowMillis() + 60_000);
});

test("a poll brings what was pushed", async (t) => {
  const repository = await testRepository(t);
  await repository.commit({ "a.yaml": allowing("/one") });
  const rules = await gitRules(t, repository.url);
  await rules.load();
  await rules.sync.follow();
  const next = await repository.commit({ "a.yaml": allowing("/two") });
  const changed = Promise.withResolvers<void>();
  rules.sync.onChange(changed.resolve);
  rules.time.step(60_000);
  await changed.promise;
  assert.equal(rules.commit(), next);
});

test("Git away at the start: the rules of the last run are in force, and the status says since when", async (t) => {
  const repository = await testRepository(t);
  const good = await repository.commit({ "a.yaml": allowing("/one") }, "kept");
  const time = handTimers();
  const first = await gitRules(t, repository.url, { time });
  await first.load();
  time.step(10_000);
  await first.load();
  const confirmed = time.clock.nowMillis();
  await first.sync.stop();
  const digest = first.status().active?.digest;
  await rename(repository.folder, `${repository.folder}.away`);
  time.step(3_600_000);
  const second = await gitRules(t, repository.url, { folder: first.folder, time });
  assert.equal(await second.load(), "activated", second.logged());
  const { active, candidate, current, lastSuccessMillis } = second.status();
  assert.deepEqual([second.commit(), active?.digest, active?.revision?.subject], [good, digest, "kept"]);
  assert.deepEqual([candidate?.code, current, lastSuccessMillis], ["git/unreachable", false, confirmed]);
  assert.ok(second.logged().includes('"rule set in force, kept of the last run"'), second.logged());
  await rename(`${repository.folder}.away`, repository.folder);
  assert.equal(await second.load(), "unchanged");
  assert.equal(second.status().current, true);
});

test("a bad commit at the start: the rules of the last run are in force", async (t) => {
  const repository = await testRepository(t);
  const good = await repository.commit({ "a.yaml": allowing("/one") });
  const first = await gitRules(t, repository.url);
  await first.load();
  await first.sync.stop();
  await repository.commit({ "a.yaml": "kind: [" });
  const second = await gitRules(t, repository.url, { folder: first.folder });
  await second.load();
  assert.deepEqual([second.commit(), second.code(), second.status().ready], [good, "policy/invalid", true]);
});

test("tests that could not be run say nothing of a commit: it is tested again", async (t) => {
  const repository = await testRepository(t);
  const commit = await repository.commit({ "a.yaml": allowing("/one") });
  const file = join(await tempFolder(t), "runner.mjs");
  const testModule = pathToFileURL(file).href;
  const rules = await gitRules(t, repository.url, { testModule, settings: { tests: "refuse" } });
  assert.equal(await rules.load(), "refused");
  assert.deepEqual([rules.code(), rules.commit()], ["source/compiler", undefined]);
  assert.match(rules.status().candidate!.message, /^the tests could not be run: /);
  const reporting = await gitRules(t, repository.url, { testModule });
  assert.equal(await reporting.load(), "activated", reporting.logged());
  assert.match(reporting.status().warnings[0] ?? "", /the tests could not be run/);
  await writeFile(file, "export const runTests = async () => ({ tests: 1, failures: [] });\n");
  assert.equal(await rules.load(), "activated", rules.logged());
  assert.equal(rules.commit(), commit);
});

test("a commit that is refused by now stays refused where it is the last run's own", async (t) => {
  const repository = await testRepository(t);
  const good = await repository.commit({ "a.yaml": allowing("/one"), "a_test.yaml": "tests: none" });
  const first = await gitRules(t, repository.url, { settings: { tests: "ignore" } });
  assert.equal(await first.load(), "activated", first.logged());
  await first.sync.stop();
  const second = await gitRules(t, repository.url, { folder: first.folder, settings: { tests: "refuse" } });
  for (let i = 0; i < 3; i++) {
    await second.load();
    const { ready, current } = second.status();
    assert.deepEqual([second.commit(), second.code(), ready, current], [good, "git/tests", true, false]);
  }
});

test("a repository of this machine that belongs to another user is not read, and that is said", async (t) => {
  const repository = await testRepository(t);
  await repository.commit({ "a.yaml": allowing("/one") });
  const bin = await tempFolder(t);
  // Of git's own tests: whatever it asks for the owner of is somebody else's.
  const git = `#!/bin/sh\nPATH="\${PATH#*:}" GIT_TEST_ASSUME_DIFFERENT_OWNER=1 exec git "$@"\n`;
  await writeFile(join(bin, "git"), git, { mode: 0o755 });
  const rules = await gitRules(t, repository.url, { outside: { PATH: [bin, process.env["PATH"]].join(delimiter) } });
  assert.equal(await rules.load(), "refused");
  assert.deepEqual(
    [rules.code(), rules.status().candidate?.message],
    ["git/unreachable", `\`${repository.url}\` cannot be asked: it does not belong to the user of the service`],
  );
});

test("no rules at the start where there is nothing to fall back on", async (t) => {
  const rules = await gitRules(t, `file://${await tempFolder(t)}/none`);
  assert.equal(await rules.load(), "refused");
  assert.deepEqual([rules.status().ready, rules.code()], [false, "git/unreachable"]);
});

test("branches, tags and the repository's own branch; a sub-path; what is not there is told", async (t) => {
  const repository = await testRepository(t);
  const first = await repository.commit({ "a/b/p.yaml": allowing("/one"), "broken.yaml": "kind: [" });
  await repository.git("tag", "-a", "v1", "-m", "one");
  await repository.git("tag", "light");
  await repository.git("checkout", "--quiet", "-b", "team/next");
  const next = await repository.commit({ "a/b/p.yaml": allowing("/two") });
  const path = "a/b";
  for (const [reference, wanted] of [
    [{ kind: "branch", name: "main" }, first],
    [{ kind: "branch", name: "team/next" }, next],
    [{ kind: "tag", name: "v1" }, first],
    [{ kind: "tag", name: "light" }, first],
    [{ kind: "default" }, next],
  ] as const) {
    const rules = await gitRules(t, repository.url, { settings: { reference, path } });
    assert.equal(await rules.load(), "activated", rules.logged());
    assert.deepEqual([rules.commit(), rules.status().active?.files], [wanted, 1]);
  }
  for (const [settings, code] of [
    [{ reference: { kind: "branch", name: "next" }, path }, "git/unknown-reference"],
    [{ reference: { kind: "tag", name: "main" }, path }, "git/unknown-reference"],
    [{ path: "a/c" }, "git/path"],
    [{ path: "a/b/p.yaml" }, "git/path"],
    [{ path: "a tree" }, "git/path"],
  ] as const) {
    const rules = await gitRules(t, repository.url, { settings });
    await rules.load();
    assert.equal(rules.code(), code, rules.logged());
  }
});

test("failing policy tests are told, or refuse the commit, or are not run", async (t) => {
  const repository = await testRepository(t);
  const testFile = `workload: { namespace: shop, labels: {} }
callers: { anybody: {} }
requests: { one: { path: /one } }
expect: [{ callers: [anybody], requests: [one], outcome: allow }]
`;
  const good = await repository.commit({ "a.yaml": allowing("/one"), "a_test.yaml": testFile });
  const all = await Promise.all(
    (["ignore", "report", "refuse"] as const).map((tests) => gitRules(t, repository.url, { settings: { tests } })),
  );
  for (const rules of all) assert.equal(await rules.load(), "activated", rules.logged());
  const told = all.map((rules) => {
    const { tests, diagnostics } = rules.status().active!;
    return [tests, diagnostics.map(({ code }) => code)];
  });
  const ran = [{ run: 1, failed: 0 }, []];
  assert.deepEqual(told, [[undefined, ["folder/policy-test"]], ran, ran], "passed over is said of what was");
  const bad = await repository.commit({ "a.yaml": allowing("/two") });
  const [ignored, reported, refused] = all as [(typeof all)[0], (typeof all)[0], (typeof all)[0]];
  assert.deepEqual([await ignored.load(), ignored.commit(), ignored.status().warnings], ["activated", bad, []]);
  assert.deepEqual([await reported.load(), reported.commit()], ["activated", bad]);
  assert.deepEqual(reported.status().active?.tests, { run: 1, failed: 1 });
  assert.match(
    reported.status().warnings.join(),
    /^policy test: a_test\.yaml:4: `anybody` with `one`: outcome: expected `allow`, found `deny`/,
  );
  assert.deepEqual([await refused.load(), refused.commit(), refused.code()], ["refused", good, "git/tests"]);
  const { message, revision } = refused.status().candidate!;
  assert.match(message, /^1 of 1 policy tests fail: a_test\.yaml:4: /);
  assert.equal(revision?.commit, bad);
  await repository.commit({ "a.yaml": allowing("/one"), "a_test.yaml": "callers: [" });
  await refused.load();
  assert.match(refused.status().candidate!.message, /a_test\.yaml:1:\d+: error: /, "a test that cannot be read fails");
});

test("a damaged, half-written or foreign file of the last rules is not used, and told", async (t) => {
  const repository = await testRepository(t);
  await repository.commit({ "a.yaml": allowing("/one") });
  const { readdir, readFile } = await import("node:fs/promises");
  const first = await gitRules(t, repository.url);
  await first.load();
  await first.sync.stop();
  await rename(repository.folder, `${repository.folder}.away`);
  afterAll(t, () => rm(`${repository.folder}.away`, { recursive: true, force: true }));
  const name = (await readdir(first.folder)).find((file) => file.startsWith("last-known-good-"))!;
  const whole = await readFile(`${first.folder}/${name}`);
  for (const content of [
    whole.subarray(0, whole.length - 7),
    whole.subarray(0, 40),
    Buffer.alloc(0),
    Buffer.from(whole.map((byte, i) => (i === whole.length - 9 ? byte ^ 1 : byte))),
    Buffer.from(whole.toString("latin1").replace('"commit":"', '"commit":"0'), "latin1"),
  ]) {
    await writeFile(`${first.folder}/${name}`, content);
    const second = await gitRules(t, repository.url, { folder: first.folder });
    assert.equal(await second.load(), "refused");
    assert.deepEqual([second.status().ready, second.code()], [false, "git/unreachable"]);
    assert.ok(second.logged().includes("git/last-known-good"));
    assert.match(second.status().warnings.join(), /last-known-good-\S+ is not /);
  }
  await writeFile(`${first.folder}/${name}`, whole);
  const third = await gitRules(t, repository.url, { folder: first.folder });
  assert.equal(await third.load(), "activated", "the untouched file is taken: nothing else was wrong");
});

test("a commit of very many errors is told by the first, and the status stays small", async (t) => {
  const repository = await testRepository(t);
  await repository.commit({ "a.yaml": allowing("/one") });
  const rules = await gitRules(t, repository.url);
  await rules.load();
  await repository.commit({ "a.yaml": Array.from({ length: 3_000 }, () => allowing("/two")).join("---\n") });
  assert.equal(await rules.load(), "refused");
  const { candidate } = rules.status();
  assert.match(candidate!.message, /^a\.yaml:.* \(and at least 999 more\)$/);
  assert.equal(candidate!.diagnostics.length, 1_000);
});

test("tests without an end are ended, and the next good commit is in force", async (t) => {
  const repository = await testRepository(t);
  await repository.commit({ "a.yaml": allowing("/one") });
  const rules = await gitRules(t, repository.url);
  await rules.load();
  const names = Array.from({ length: 10_000 }, (_, i) => `  n${i}: {}\n`).join("");
  const endless = `workload: { namespace: shop, labels: {} }\ncallers:\n${names}requests:\n${names}expect: []\n`;
  await repository.commit({ "a.yaml": allowing("/two"), "a_test.yaml": endless });
  const loading = rules.load();
  while (rules.time.nextMillis() !== longestBuildMillis) await new Promise((resolve) => setTimeout(resolve, 20));
  rules.time.step(longestBuildMillis);
  assert.equal(await loading, "refused");
  assert.equal(rules.code(), "source/worker");
  await rules.sync.follow();
  await rules.poll();
  assert.equal(rules.code(), "source/worker", "it is not tried at each poll, which come as ever");
  assert.equal(rules.status().nextAttemptMillis, rules.time.clock.nowMillis() + 60_000);
  const good = await repository.commit({ "a_test.yaml": undefined });
  assert.equal(await rules.load(), "activated", rules.logged());
  assert.equal(rules.commit(), good);
});

test("git that the thread of the compiler runs ends with the service", async (t) => {
  const repository = await testRepository(t);
  await repository.commit({ "a.yaml": allowing("/one") });
  const folder = await tempFolder(t);
  const place = process.env["PATH"] ?? "";
  // A disk that is very slow.
  const slow = `#!/bin/sh\ntest "$1" != ls-tree || exec sh -c "sleep 600; :" "$0"\nPATH='${place}' exec git "$@"\n`;
  await writeFile(join(folder, "git"), slow, { mode: 0o755 });
  const rules = await gitRules(t, repository.url, { outside: { PATH: `${folder}:${place}` } });
  const running = () => execFileSync("ps", ["-eo", "args"], { encoding: "utf8" }).includes(`sleep 600; : ${folder}`);
  const loading = rules.load();
  while (!running()) await new Promise((resolve) => setTimeout(resolve, 20));
  await rules.sync.stop();
  await loading;
  assert.equal(running(), false);
});

test("a repository whose objects are named by SHA-256", async (t) => {
  const repository = await testRepository(t, { GIT_DEFAULT_HASH: "sha256" });
  const first = await repository.commit({ "a.yaml": allowing("/one") });
  assert.equal(first.length, 64);
  const rules = await gitRules(t, repository.url);
  assert.equal(await rules.load(), "activated", rules.logged());
  const second = await repository.commit({ "a.yaml": allowing("/two") });
  assert.equal(await rules.load(), "activated", rules.logged());
  assert.equal(rules.commit(), second);
  assert.equal(await rules.sync.pin({ commit: first, durationMillis: 3_600_000 }), undefined);
  assert.equal(rules.commit(), first);
});
