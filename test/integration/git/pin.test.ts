import assert from "node:assert/strict";
import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { type TestContext, test } from "node:test";
import { createPins } from "#authz/rulesets/git/create-pins";
import { describeRepository } from "#authz/rulesets/git/repository";
import { createLog } from "#platform/log";
import { gitRules, gitSettings } from "#test/support/git/git-rules";
import { allowing, type TestRepository, testRepository } from "#test/support/git/test-repository";
import { handTimers } from "#test/support/rulesets/hand-timers";
import { tempFolder } from "#test/support/service/temp-folder";

const hour = 3_600_000;

/** Three commits, each of which allows another path; the newest is in force. */
async function three(t: TestContext, options: Parameters<typeof gitRules>[2] = {}) {
  const repository = await testRepository(t);
  const commits: string[] = [];
  for (const path of ["/one", "/two", "/three"]) {
    commits.push(await repository.commit({ "a.yaml": allowing(path) }, `allow ${path}`));
  }
  const rules = await gitRules(t, repository.url, options);
  assert.equal(await rules.load(), "activated", rules.logged());
  const [one = "", two = "", newest = ""] = commits;
  assert.equal(rules.commit(), newest);
  return { repository, rules, one, two, newest };
}

test("a pinned commit is in force until its time is over, whatever is pushed, and says so", async (t) => {
  const { repository, rules, one } = await three(t);
  assert.equal(await rules.sync.pin({ commit: one.slice(0, 7), durationMillis: 2 * hour }), undefined);
  assert.equal(rules.commit(), one);
  const pushed = await repository.commit({ "a.yaml": allowing("/four") });
  assert.equal(await rules.load(), "unchanged");
  assert.equal(rules.commit(), one);
  const { current, degraded, pinned, ready, candidate } = rules.status();
  assert.deepEqual([current, ready, candidate, pinned?.commit], [false, true, undefined, one]);
  assert.equal(pinned!.untilMillis - pinned!.sinceMillis, 2 * hour);
  assert.match(degraded?.reason ?? "", /^the policies are pinned to [0-9a-f]{12} until 2026-/);
  assert.match(rules.logged(), /"level":"warn".*"until":"2026-.*the policies are pinned/);

  rules.time.step(2 * hour);
  assert.equal(rules.status().pinned, undefined, "it ends by the clock");
  assert.equal(await rules.load(), "activated");
  assert.equal(rules.commit(), pushed);
  assert.match(rules.logged(), /"level":"warn".*the pin has ended/);
  assert.deepEqual(
    (await readdir(rules.folder)).filter((name) => name.startsWith("pin-")),
    [],
  );
});

test("the end of a pin is not waited for until the next poll", async (t) => {
  const { rules, one } = await three(t, { settings: { pollMillis: 24 * hour } });
  await rules.sync.follow();
  await rules.sync.pin({ commit: one, durationMillis: hour });
  assert.equal(rules.status().nextAttemptMillis, rules.time.clock.nowMillis() + hour);
});

test("unpin: the newest commit is in force again", async (t) => {
  const { rules, two, newest } = await three(t);
  await rules.sync.pin({ commit: two, durationMillis: hour });
  assert.equal(rules.commit(), two);
  assert.equal(await rules.sync.unpin(), "activated");
  assert.deepEqual([rules.commit(), rules.status().pinned, rules.status().current], [newest, undefined, true]);
});

test("a pin survives a restart, also without Git and without the mirror", async (t) => {
  for (const loss of [
    async () => undefined,
    (repository: TestRepository) => rm(repository.folder, { recursive: true }),
    async (repository: TestRepository, folder: string) => {
      await rm(repository.folder, { recursive: true });
      await rm(join(folder, "mirror.git"), { recursive: true });
    },
  ]) {
    const { repository, rules, one } = await three(t);
    await rules.sync.pin({ commit: one, durationMillis: hour });
    await rules.sync.stop();
    await loss(repository, rules.folder);
    const again = await gitRules(t, repository.url, { folder: rules.folder });
    await again.load();
    assert.deepEqual([again.commit(), again.status().pinned?.commit], [one, one], again.logged());
    assert.match(again.logged(), /the policies are pinned/);
  }
});

/** Changes bytes of an object in whatever pack of the mirror has it. */
async function damageObject(repository: TestRepository, mirror: string, object: string): Promise<void> {
  const packs = join(mirror, "objects/pack");
  for (const name of (await readdir(packs)).filter((each) => each.endsWith(".pack"))) {
    const pack = join(packs, name);
    const listed = await repository.git("verify-pack", "-v", pack);
    const offset = new RegExp(`^${object} \\S+ +\\d+ \\d+ (\\d+)`, "m").exec(listed)?.[1];
    if (offset === undefined) continue;
    const bytes = await readFile(pack);
    bytes.fill(0xff, Number(offset) + 4, Number(offset) + 24);
    await rm(pack);
    await writeFile(pack, bytes);
  }
}

test("a pin survives a restart with a damaged mirror, also where nothing is left of the last run", async (t) => {
  const damages: readonly (typeof damageObject)[] = [
    damageObject,
    async (_, mirror) => {
      await rm(mirror, { recursive: true });
      await writeFile(mirror, "");
    },
  ];
  for (const damage of damages) {
    const { repository, rules, one } = await three(t);
    await rules.sync.pin({ commit: one, durationMillis: hour });
    await rules.sync.stop();
    const [kept = ""] = (await readdir(rules.folder)).filter((name) => name.startsWith("last-known-good-"));
    await rm(join(rules.folder, kept));
    await damage(repository, join(rules.folder, "mirror.git"), await repository.git("rev-parse", `${one}:a.yaml`));
    const again = await gitRules(t, repository.url, { folder: rules.folder });
    await again.load();
    assert.deepEqual([again.commit(), again.code()], [one, undefined], again.logged());
  }
});

test("a pin whose end passed while nothing ran is no pin", async (t) => {
  const { repository, rules, one, newest } = await three(t);
  await rules.sync.pin({ commit: one, durationMillis: hour });
  await rules.sync.stop();
  rules.time.step(hour);
  const again = await gitRules(t, repository.url, { folder: rules.folder, time: rules.time });
  assert.equal(await again.load(), "activated");
  assert.deepEqual([again.commit(), again.status().pinned], [newest, undefined]);
});

test("a pin that was made when the clock was far ahead ends with the mistake", async (t) => {
  const ahead = handTimers(Date.parse("2027-01-01T00:00:00Z"));
  const { repository, rules, one, newest } = await three(t, { time: ahead });
  await rules.sync.pin({ commit: one, durationMillis: 7 * 24 * hour });
  assert.equal(await rules.load(), "unchanged");
  await rules.sync.stop();
  const again = await gitRules(t, repository.url, { folder: rules.folder });
  assert.equal(await again.load(), "activated", again.logged());
  assert.deepEqual([again.commit(), again.status().pinned], [newest, undefined]);
});

test("a pin is not lost to another service of the folder, for which an older one has just ended", async (t) => {
  const { repository, rules, one, two } = await three(t);
  await rules.sync.pin({ commit: one, durationMillis: hour });
  const described = describeRepository(gitSettings(repository.url, rules.folder), {});
  const { log } = createLog({ level: "error", stream: new PassThrough() });
  const parts = { repository: described, source: "git", clock: rules.time.clock, log, noted: async () => undefined };
  const [here, there] = [createPins(parts), createPins(parts)];
  await here.renew();
  rules.time.step(hour);
  const nowMillis = rules.time.clock.nowMillis();
  await there.keep({ commit: two, sinceMillis: nowMillis, untilMillis: nowMillis + hour, known: undefined });
  await here.forget();
  await here.renew();
  assert.equal(here.current()?.commit, two);
});

test("a commit that cannot be found or compiled is not pinned, and nothing changes", async (t) => {
  const repository = await testRepository(t);
  const bad = await repository.commit({ "a.yaml": "kind: [" });
  const good = await repository.commit({ "a.yaml": allowing("/one") });
  await repository.git("checkout", "--quiet", "-b", "other");
  const foreign = await repository.commit({ "a.yaml": allowing("/foreign") });
  await repository.git("checkout", "--quiet", "main");
  const rules = await gitRules(t, repository.url);
  await rules.load();
  for (const [commit, code] of [
    ["0".repeat(40), "git/pin"],
    [foreign, "git/pin"],
    [bad, "policy/invalid"],
    ["--upload-pack=x", "git/pin"],
    ["HEAD~1", "git/pin"],
  ] as const) {
    const fault = await rules.sync.pin({ commit, durationMillis: hour });
    assert.equal(fault?.code, code, commit);
    assert.deepEqual([rules.commit(), rules.status().pinned, rules.status().current], [good, undefined, true]);
  }
});

test("a commit without a good signature is not pinned", async (t) => {
  const { repository, rules, one } = await three(t);
  const file = join(await tempFolder(t), "signers");
  await writeFile(
    file,
    `ada@example.org namespaces="git" ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHDCSrVQ8sHTdXQnq+p3ftVmwKw7AolhZzNU3IvSRagU\n`,
  );
  await rules.sync.stop();
  const strict = await gitRules(t, repository.url, {
    folder: rules.folder,
    settings: { signatures: { mode: "every", allowedSignersFile: file, openpgpKeysFile: undefined } },
  });
  const fault = await strict.sync.pin({ commit: one, durationMillis: hour });
  assert.equal(fault?.code, "git/signature");
  assert.equal(strict.snapshot(), undefined);
});

test("a history that was rewritten behind a pin is refused when the pin ends", async (t) => {
  const { repository, rules, one, newest } = await three(t);
  await rules.sync.pin({ commit: one, durationMillis: hour });
  await repository.git("reset", "--quiet", "--hard", one);
  await repository.commit({ "a.yaml": allowing("/forged") });
  assert.equal(await rules.sync.unpin(), "refused");
  assert.equal(rules.code(), "git/forced");
  await repository.git("reset", "--quiet", "--hard", one);
  assert.equal(await rules.load(), "refused", "the pinned commit itself is older than what was taken");
  await repository.git("reset", "--quiet", "--hard", newest);
  assert.equal(await rules.load(), "activated");
  assert.equal(rules.commit(), newest);
});

test("a history that is rewritten, as is allowed, to the commit that was pinned goes on from there", async (t) => {
  const allowed = { settings: { allowForced: true } };
  for (const isRestarted of [true, false]) {
    const { repository, rules, one } = await three(t, isRestarted ? {} : allowed);
    assert.equal(await rules.sync.pin({ commit: one, durationMillis: hour }), undefined);
    await repository.git("reset", "--quiet", "--hard", one);
    assert.equal(await rules.sync.unpin(), isRestarted ? "refused" : "unchanged");
    await rules.sync.stop();
    if (isRestarted) {
      const forced = await gitRules(t, repository.url, { folder: rules.folder, ...allowed });
      await forced.load();
      assert.deepEqual([forced.commit(), forced.status().current], [one, true]);
      await forced.sync.stop();
    }
    const later = await gitRules(t, repository.url, { folder: rules.folder });
    const next = await repository.commit({ "a.yaml": allowing("/four") });
    assert.equal(await later.load(), "activated", later.logged());
    assert.deepEqual([later.commit(), later.code()], [next, undefined]);
  }
});

test("the pin's file: damaged, it keeps everything as it is until `unpin`", async (t) => {
  const { repository, rules, one, newest } = await three(t);
  await rules.sync.pin({ commit: one, durationMillis: hour });
  const [file = ""] = (await readdir(rules.folder)).filter((name) => name.startsWith("pin-"));
  await rules.sync.stop();
  await writeFile(join(rules.folder, file), '{"commit":"--all"}');
  const again = await gitRules(t, repository.url, { folder: rules.folder });
  await again.load();
  assert.deepEqual([again.commit(), again.code()], [one, "git/pin"], "the rules of the last run stand in");
  await again.sync.unpin();
  assert.equal(again.commit(), newest);
});

test("a pinned commit does not get stale", async (t) => {
  const { rules, one } = await three(t, { staleness: { maxStaleMillis: 10 * 60_000, reaction: "deny" } });
  await rules.sync.pin({ commit: one, durationMillis: hour });
  for (let minute = 0; minute < 30; minute++) {
    rules.time.step(60_000);
    await rules.load();
  }
  assert.deepEqual([rules.snapshot()?.expired, rules.status().staleSinceMillis], [false, undefined]);
});
