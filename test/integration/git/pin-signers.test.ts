import assert from "node:assert/strict";
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { gitRules } from "#test/support/git/git-rules";
import { by, sshSigned } from "#test/support/git/ssh-signed";
import { allowing } from "#test/support/git/test-repository";

const hour = 3_600_000;
const minute = 60_000;

/** A commit that ada has signed is pinned; the newest is eve's. Both are signers. */
async function pinned(t: TestContext, options: Parameters<typeof gitRules>[2] = {}) {
  const { repository, folder, allowedSignersFile, signed } = await sshSigned(t);
  const line = async (name: string) => `${name}@example.org ${await readFile(join(folder, `${name}.pub`), "utf8")}`;
  const [ada, eve] = [await line("ada"), await line("eve")];
  await writeFile(allowedSignersFile, ada + eve);
  const one = await signed("ada", { "a.yaml": allowing("/one") });
  const newest = await signed("eve", { "a.yaml": allowing("/two") });
  const settings = by("head", { allowedSignersFile });
  const rules = await gitRules(t, repository.url, { settings, ...options });
  await rules.load();
  assert.equal(await rules.sync.pin({ commit: one, durationMillis: 2 * hour }), undefined, rules.logged());
  assert.deepEqual([await rules.load(), rules.commit(), rules.code()], ["unchanged", one, undefined]);
  const trust = (signers: string) => writeFile(allowedSignersFile, signers);
  return { repository, rules, settings, one, newest, ada, eve, trust };
}

test("a pinned commit whose signer was taken away is told, and goes on deciding until the signer is back", async (t) => {
  const { rules, one, ada, eve, trust } = await pinned(t);
  await trust(eve);
  for (let i = 0; i < 2; i++) {
    assert.equal(await rules.load(), "refused", rules.logged());
    const { ready, current, degraded, pinned: pin } = rules.status();
    assert.deepEqual(
      [rules.commit(), rules.code(), ready, current, pin?.commit],
      [one, "git/signature", true, false, one],
    );
    assert.match(degraded?.reason ?? "", new RegExp(`^the commit ${one} is signed by a key that is not among`));
  }
  assert.match(rules.logged(), /"level":"error".*"code":"git\/signature"/);
  await trust(ada);
  assert.equal(await rules.load(), "unchanged");
  assert.deepEqual([rules.commit(), rules.code()], [one, undefined], rules.logged());
  assert.match(rules.status().degraded?.reason ?? "", /^the policies are pinned/);
});

test("a pinned commit that none of the signers has signed is not in force after a restart, and `unpin` brings the newest", async (t) => {
  const { repository, rules, settings, newest, eve, trust } = await pinned(t);
  await trust(eve);
  await rules.load();
  await rules.sync.stop();
  const again = await gitRules(t, repository.url, { folder: rules.folder, settings });
  assert.equal(await again.load(), "refused");
  assert.deepEqual([again.snapshot(), again.code(), again.status().ready], [undefined, "git/signature", false]);
  assert.equal(await again.sync.unpin(), "activated");
  assert.deepEqual([again.commit(), again.status().current], [newest, true]);
});

test("a pinned commit that none of the signers has signed gets stale; one that they have does not", async (t) => {
  const staleness = { maxStaleMillis: 10 * minute, reaction: "deny" } as const;
  const { rules, one, eve, trust } = await pinned(t, { staleness });
  const passes = async () => {
    for (let i = 0; i < 11; i++) {
      rules.time.step(minute);
      await rules.load();
    }
    return rules.snapshot()?.expired;
  };
  assert.equal(await passes(), false);
  await trust(eve);
  assert.deepEqual([await passes(), rules.commit()], [true, one]);
});

test("signers that cannot be read are told while a commit is pinned; the word of others counts for a start without Git", async (t) => {
  const { repository, rules, settings, one, ada, trust } = await pinned(t);
  await trust("\n");
  assert.deepEqual([await rules.load(), rules.code(), rules.commit()], ["refused", "git/signers", one]);
  await trust(ada);
  assert.deepEqual([await rules.load(), rules.code()], ["unchanged", undefined]);
  await rules.sync.stop();
  for (const lost of [repository.folder, join(rules.folder, "mirror.git")]) await rm(lost, { recursive: true });
  const again = await gitRules(t, repository.url, { folder: rules.folder, settings });
  assert.equal(await again.load(), "activated", again.logged());
  assert.deepEqual([again.commit(), again.code()], [one, "git/unreachable"]);
});
