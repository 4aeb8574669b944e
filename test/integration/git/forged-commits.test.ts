import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { type TestContext, test } from "node:test";
import type { SignatureSettings } from "#authz/rulesets/git/settings";
import { forgeCommit, withHeader } from "#test/support/git/forge-commit";
import { gitRules } from "#test/support/git/git-rules";
import { by, sshSigned } from "#test/support/git/ssh-signed";
import { allowing } from "#test/support/git/test-repository";
import { tempFolder } from "#test/support/service/temp-folder";

/** Rules of a signed commit in force, and somebody who may push, and sign nothing. */
async function inForce(t: TestContext, mode: SignatureSettings["mode"], outside?: Record<string, string>) {
  const scene = await sshSigned(t);
  const { repository, allowedSignersFile, signed } = scene;
  const good = await signed("ada", { "a.yaml": allowing("/one") });
  const options = outside === undefined ? {} : { outside };
  const rules = await gitRules(t, repository.url, { settings: by(mode, { allowedSignersFile }), ...options });
  await rules.load();
  await rules.sync.follow();
  assert.equal(rules.commit(), good, rules.logged());
  const mirror = join(rules.folder, "mirror.git");
  await writeFile(join(mirror, "mark"), "");
  /** It is refused for its signature, is named, and is not looked at again; the mirror stays, and the next good commit repairs it. */
  const refuse = async (commit: string, why: string) => {
    for (let i = 0; i < 2; i++) {
      assert.equal(await rules.load(), "refused");
      const { candidate, nextAttemptMillis } = rules.status();
      assert.deepEqual([candidate?.code, candidate?.message], ["git/signature", `the commit ${commit} ${why}`]);
      assert.deepEqual([rules.commit(), nextAttemptMillis], [good, rules.time.clock.nowMillis() + 60_000]);
    }
    const left = await readdir(mirror);
    assert.ok(left.includes("mark") && !left.some((name) => name.includes("tmp")), `${left}`);
    await repository.git("reset", "--quiet", "--hard", good);
  };
  return { ...scene, rules, good, refuse };
}

test("signatures that are none, or of a kind that is not verified, are said to be so", async (t) => {
  const { repository, refuse, rules, signed } = await inForce(t, "head");
  const unread = "has a signature that cannot be read";
  for (const [header, why] of [
    ["gpgsig", "is not signed"],
    ["gpgsig ", unread],
    ["gpgsig garbage", unread],
    ["gpgsig -----BEGIN SIGNED MESSAGE-----\nAAAA\n-----END SIGNED MESSAGE-----", unread],
    ["gpgsig -----BEGIN PGP MESSAGE-----\n\nAAAA\n-----END PGP MESSAGE-----", unread],
    ["gpgsig -----BEGIN PGP SIGNATURE-----\n\nAAAA\n-----END PGP SIGNATURE-----", "is not signed"],
    ["gpgsig-sha256 -----BEGIN SSH SIGNATURE-----\nAAAA\n-----END SSH SIGNATURE-----", "is not signed"],
  ] as const) {
    const plain = await repository.commit({ "a.yaml": allowing("/evil") });
    const bytes = await withHeader(repository, plain, header.trim());
    await refuse(await forgeCommit(repository, bytes.replace(/^gpgsig$/m, header)), why);
  }
  const next = await signed("ada", { "a.yaml": allowing("/two") });
  assert.deepEqual([await rules.load(), rules.commit()], ["activated", next]);
});

test("a good signature does not speak of a commit in which a line hides parents, or another thing, from git", async (t) => {
  const { repository, folder, rules, good, refuse, signed } = await inForce(t, "every");
  await repository.git("checkout", "--quiet", "-b", "side");
  const sneaked = await repository.commit({ "b.yaml": allowing("/sneaked", "b") });
  await repository.git("checkout", "--quiet", "main");
  await repository.git("config", "user.signingKey", join(folder, "ada"));
  await repository.git("merge", "--quiet", "--no-ff", "-S", "-m", "a merge", "side");
  const merge = await repository.git("rev-parse", "HEAD");
  await refuse(sneaked, "is not signed");
  const bytes = await repository.git("cat-file", "commit", merge);
  const hiding = await forgeCommit(repository, `${bytes.replace(`parent ${sneaked}`, "gpgsig-x y\n$&")}\n`);
  assert.equal(await repository.git("log", "-1", "--format=%P", hiding), good, "git sees one parent");
  await refuse(hiding, "does not begin as git's do");
  const next = await signed("ada", { "a.yaml": allowing("/two") });
  assert.deepEqual([await rules.load(), rules.commit()], ["activated", next]);
});

test("a commit of more than a mebibyte is refused: a large signature costs minutes", async (t) => {
  const { repository, refuse } = await inForce(t, "head");
  const signature = `gpgsig -----BEGIN SSH SIGNATURE-----\n${"A".repeat(70)}\n`.repeat(15_000);
  const plain = await repository.commit({ "a.yaml": allowing("/evil") });
  await refuse(
    await forgeCommit(repository, await withHeader(repository, plain, signature)),
    "has more than 1048576 bytes",
  );
});

test("every: behind a newest commit that no signer has signed no other one is verified", async (t) => {
  const bin = await tempFolder(t);
  const runs = join(bin, "runs");
  const real = execFileSync("sh", ["-c", "command -v ssh-keygen"], { encoding: "utf8" }).trim();
  const script = `#!/bin/sh\n[ "$1" != -Y ] || echo >>${runs}\nexec ${real} "$@"\n`;
  await writeFile(join(bin, "ssh-keygen"), script, { mode: 0o755 });
  const { refuse, signed } = await inForce(t, "every", {
    PATH: [bin, process.env["PATH"]].join(delimiter),
  });
  for (let i = 0; i < 5; i++) await signed("eve", { "a.yaml": allowing(`/${i}`) });
  const newest = await signed("eve", { "a.yaml": allowing("/evil") });
  await writeFile(runs, "");
  await refuse(newest, "is signed by a key that is not among the signers");
  assert.equal((await readFile(runs, "utf8")).length, 2, "its key is looked for, and its signature is looked at");
});
