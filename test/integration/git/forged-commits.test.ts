import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { type TestContext, test } from "node:test";
import { deflateSync } from "node:zlib";
import type { SignatureSettings } from "#authz/rulesets/git/settings";
import { forgeCommit, withHeader } from "#test/support/git/forge-commit";
import { gitRules } from "#test/support/git/git-rules";
import { openpgpHome } from "#test/support/git/openpgp-home";
import { by, sshSigned } from "#test/support/git/ssh-signed";
import { allowing } from "#test/support/git/test-repository";
import { tempFolder } from "#test/support/service/temp-folder";

/** Rules of a signed commit in force, and somebody who may push, and sign nothing. */
async function inForce(
  t: TestContext,
  mode: SignatureSettings["mode"],
  outside?: Record<string, string>,
  keys: Partial<SignatureSettings> = {},
) {
  const scene = await sshSigned(t);
  const { repository, allowedSignersFile, signed } = scene;
  const good = await signed("ada", { "a.yaml": allowing("/one") });
  const options = outside === undefined ? {} : { outside };
  const rules = await gitRules(t, repository.url, { settings: by(mode, { allowedSignersFile, ...keys }), ...options });
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
    ["gpgsig -----BEGIN PGP SIGNATURE-----\n\nAAAA\n-----END PGP SIGNATURE-----", unread],
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

/** A PATH on which `program` is `script` first, then itself; in `runs` it may write. */
async function wrapped(t: TestContext, program: string, script: string) {
  const bin = await tempFolder(t);
  const runs = join(bin, "runs");
  await writeFile(runs, "");
  const real = execFileSync("sh", ["-c", `command -v ${program}`], { encoding: "utf8" }).trim();
  const text = `#!/bin/sh\nruns=${runs}\n${script}\nexec ${real} "$@"\n`;
  await writeFile(join(bin, program), text, { mode: 0o755 });
  return {
    outside: { PATH: [bin, process.env["PATH"]].join(delimiter) },
    count: async () => (await readFile(runs, "utf8")).length,
    restart: () => writeFile(runs, ""),
  };
}

test("every: behind a newest commit that no signer has signed no other one is verified", async (t) => {
  const { outside, count, restart } = await wrapped(t, "ssh-keygen", '[ "$1" != -Y ] || echo >>$runs');
  const { refuse, signed } = await inForce(t, "every", outside);
  for (let i = 0; i < 5; i++) await signed("eve", { "a.yaml": allowing(`/${i}`) });
  const newest = await signed("eve", { "a.yaml": allowing("/evil") });
  await restart();
  await refuse(newest, "is signed by a key that is not among the signers");
  assert.equal(await count(), 2, "its key is looked for, and its signature is looked at");
});

test("OpenPGP: a signature that is something compressed is not given to gpg, which would unpack it", async (t) => {
  const { home, gpg } = await openpgpHome(t);
  gpg("--quick-generate-key", "ada@x.org", "ed25519", "sign", "never");
  const openpgpKeysFile = join(home, "keys");
  await writeFile(openpgpKeysFile, gpg("--export", "ada@x.org"));
  const { outside, count } = await wrapped(t, "gpg", 'case "$*" in *--verify*) echo >>$runs;; esac');
  const { repository, refuse } = await inForce(t, "head", outside, { openpgpKeysFile });
  // RFC 9580 §5.6: compressed data, by ZLIB; in it, data that means nothing.
  const inner = Buffer.concat([Buffer.from([0xcb, 0xff, 1, 0, 0, 0]), Buffer.alloc(0x1000000)]);
  const packed = Buffer.concat([Buffer.of(2), deflateSync(inner)]);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(packed.length);
  const bomb = Buffer.concat([Buffer.from([0xc8, 0xff]), length, packed])
    .toString("base64")
    .replace(/.{64}/g, "$&\n");
  const header = `gpgsig -----BEGIN PGP SIGNATURE-----\n\n${bomb}\n-----END PGP SIGNATURE-----`;
  const plain = await repository.commit({ "a.yaml": allowing("/evil") });
  await refuse(
    await forgeCommit(repository, await withHeader(repository, plain, header)),
    "has a signature that cannot be read",
  );
  assert.equal(await count(), 0);
});

for (const [which, before] of [
  ["the newest commit", 0],
  ["an older one", 2],
] as const) {
  test(`every: when the signature of ${which} cannot be verified in time the mirror is kept, and nothing is remembered against the commits`, async (t) => {
    const slow = `[ "$1" = -Y ] || exec true\necho >>$runs\n[ ! -e $runs-slow ] || [ $(wc -l <$runs) -le ${before} ] || exec sleep 600`;
    const { outside, restart } = await wrapped(t, "ssh-keygen", slow);
    const { rules, good, signed } = await inForce(t, "every", outside);
    for (let i = 0; i < 2; i++) await signed("ada", { "a.yaml": allowing(`/${i}`) });
    const newest = await signed("ada", { "a.yaml": allowing("/slow") });
    await restart();
    const marker = `${outside.PATH.split(delimiter)[0]}/runs-slow`;
    await writeFile(marker, "");
    const loading = rules.load();
    const millis = before === 0 ? 10_200 : 10_400;
    while (rules.time.nextMillis() !== millis) await new Promise((resolve) => setTimeout(resolve, 5));
    rules.time.step(millis);
    assert.equal(await loading, "refused");
    const what = before === 0 ? `the signature of the commit ${newest}` : "the signatures of 2 commits";
    const { candidate } = rules.status();
    const why = `${what} cannot be verified in ${millis / 1000} s`;
    assert.deepEqual([candidate?.code, candidate?.message, rules.commit()], ["git/too-slow", why, good]);
    await rm(marker);
    assert.equal(await rules.load(), "activated", "whoever asks has it looked at again at once");
    assert.equal(rules.commit(), newest, rules.logged());
    const left = await readdir(join(rules.folder, "mirror.git"));
    assert.ok(left.includes("mark") && !left.some((name) => name.includes("tmp")), `${left}`);
  });
}

for (const [what, program, script, code] of [
  ["the program that verifies is killed", "ssh-keygen", '[ "$2" != verify ] || kill -9 $$', "source/worker"],
  ["git is killed while it verifies", "git", '[ "$1" != log ] || kill -9 $$', "source/worker"],
  ["git is killed while it looks at the history", "git", '[ "$1" != merge-base ] || kill -9 $$', "source/worker"],
  [
    "git has no memory for the history",
    "git",
    '[ "$1" != merge-base ] || { echo "fatal: Out of memory, malloc failed" >&2; exit 128; }',
    "git/mirror",
  ],
  ["git is killed while it looks for a commit", "git", '[ "$1" != rev-parse ] || kill -9 $$', "source/worker"],
  ["the signature cannot be written", "git", '[ "$1" != log ] || export TMPDIR=/nowhere', "git/mirror"],
] as const) {
  test(`a good commit is not found wrong when ${what}`, async (t) => {
    const { outside } = await wrapped(t, program, `[ ! -e $runs-on ] || { ${script}; }`);
    const { rules, good, signed } = await inForce(t, "every", outside);
    const marker = `${outside.PATH.split(delimiter)[0]}/runs-on`;
    await writeFile(marker, "");
    const newest = await signed("ada", { "a.yaml": allowing("/two") });
    assert.equal(await rules.load(), "refused");
    assert.deepEqual([rules.code(), rules.commit()], [code, good], rules.logged());
    await rm(marker);
    assert.equal(await rules.load(), "activated", rules.logged());
    assert.equal(rules.commit(), newest);
  });
}
