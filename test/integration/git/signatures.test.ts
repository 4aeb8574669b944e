import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdir, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { delimiter, dirname, join } from "node:path";
import { test } from "node:test";
import { gitRules } from "#test/support/git/git-rules";
import { openpgpHome } from "#test/support/git/openpgp-home";
import { by, signCommit, sshSigned } from "#test/support/git/ssh-signed";
import { allowing, testRepository } from "#test/support/git/test-repository";
import { tempFolder } from "#test/support/service/temp-folder";
import { sourceWarnings } from "../../../cli/serve/source-warnings.ts";

test("a commit that a signer has signed with SSH is taken, and its signer is told", async (t) => {
  const { repository, allowedSignersFile, signed } = await sshSigned(t);
  await signed("ada", { "a.yaml": allowing("/one") });
  const rules = await gitRules(t, repository.url, { settings: by("head", { allowedSignersFile }) });
  assert.equal(await rules.load(), "activated", rules.logged());
  assert.match(rules.status().active?.revision?.signer ?? "", /^ada@example\.org SHA256:[\w+/]{43}$/);
});

test("a signature is verified out of a file in the mirror: other folders may not be writable", async (t) => {
  const { repository, folder, allowedSignersFile, signed } = await sshSigned(t);
  await signed("ada", { "a.yaml": allowing("/one") });
  const seen = join(folder, "seen");
  const bin = await tempFolder(t);
  const program = `#!/bin/sh\nprintf '%s\\n' "$@" >> '${seen}'\nPATH="\${PATH#*:}" exec ssh-keygen "$@"\n`;
  await writeFile(join(bin, "ssh-keygen"), program, { mode: 0o755 });
  const outside = { PATH: [bin, process.env["PATH"]].join(delimiter) };
  const rules = await gitRules(t, repository.url, { settings: by("head", { allowedSignersFile }), outside });
  assert.equal(await rules.load(), "activated", rules.logged());
  const words = (await readFile(seen, "utf8")).split("\n");
  const files = words.flatMap((word, i) => (word === "-s" ? [words[i + 1]!] : []));
  assert.ok(files.length > 0 && files.every((file) => dirname(file) === join(rules.folder, "mirror.git")), `${files}`);
});

test("a commit that is refused for its signature is not verified at each poll, which come as ever, but again after ten minutes", async (t) => {
  const { repository, allowedSignersFile, signed } = await sshSigned(t);
  const first = await signed("ada", { "a.yaml": allowing("/one") });
  const bin = await tempFolder(t);
  const [runs, bad] = [join(bin, "runs"), join(bin, "bad")];
  const real = execFileSync("sh", ["-c", "command -v ssh-keygen"], { encoding: "utf8" }).trim();
  // What goes wrong is not the commit's fault.
  const script = `#!/bin/sh\nif [ "$1" = -Y ]; then echo >>${runs}; [ -e ${bad} ] && exit 1; fi\nexec ${real} "$@"\n`;
  await writeFile(join(bin, "ssh-keygen"), script, { mode: 0o755 });
  const rules = await gitRules(t, repository.url, {
    settings: by("head", { allowedSignersFile }),
    outside: { PATH: [bin, process.env["PATH"]].join(delimiter) },
  });
  await rules.load();
  await rules.sync.follow();
  assert.equal(rules.commit(), first, rules.logged());
  await writeFile(bad, "");
  const second = await signed("ada", { "a.yaml": allowing("/two") });
  assert.equal(await rules.load(), "refused");
  const count = async () => (await readFile(runs, "utf8")).length;
  const once = await count();
  await rm(bad);
  for (let i = 0; i < 3; i++) {
    assert.deepEqual([await rules.load(), rules.code()], ["refused", "git/signature"]);
    assert.equal(rules.status().nextAttemptMillis, rules.time.clock.nowMillis() + 60_000);
  }
  assert.deepEqual([rules.commit(), await count()], [first, once]);
  rules.time.step(10 * 60_000);
  await rules.load();
  assert.deepEqual([rules.commit(), rules.status().current], [second, true], rules.logged());
  assert.ok((await count()) > once);
});

test("without the program that verifies signatures none is called bad: the program is missing", async (t) => {
  const { repository, allowedSignersFile, signed } = await sshSigned(t);
  await signed("ada", { "a.yaml": allowing("/one") });
  const bin = await tempFolder(t);
  await symlink(execFileSync("sh", ["-c", "command -v git"], { encoding: "utf8" }).trim(), join(bin, "git"));
  for (const [program, files] of [
    ["ssh-keygen", { allowedSignersFile }],
    ["gpg", { openpgpKeysFile: allowedSignersFile }],
  ] as const) {
    const rules = await gitRules(t, repository.url, { settings: by("head", files), outside: { PATH: bin } });
    assert.equal(await rules.load(), "refused");
    assert.equal(rules.code(), "git/missing");
    assert.match(rules.status().candidate!.message, new RegExp(`^\`${program}\` cannot be run: `));
  }
});

test("what nobody, another one, or somebody in another name has signed is refused before it is parsed", async (t) => {
  const { repository, folder, allowedSignersFile, signed } = await sshSigned(t);
  const good = await signed("ada", { "a.yaml": allowing("/one") });
  const rules = await gitRules(t, repository.url, { settings: by("head", { allowedSignersFile }) });
  await rules.load();
  const refuse = async (message: RegExp) => {
    assert.equal(await rules.load(), "refused");
    const { candidate } = rules.status();
    assert.deepEqual([candidate?.code, candidate?.diagnostics, rules.commit()], ["git/signature", [], good]);
    const { commit, subject } = candidate!.revision!;
    assert.deepEqual([commit, subject], [await repository.git("rev-parse", "HEAD"), undefined], "its name alone");
    assert.match(candidate!.message, message);
    await repository.git("reset", "--quiet", "--hard", good);
  };
  await repository.commit({ "a.yaml": "kind: [" });
  await refuse(/ is not signed$/);
  await signed("eve", { "a.yaml": "kind: [" });
  await refuse(/ is signed by a key that is not among the signers$/);
  await signed("ada", { "a.yaml": allowing("/two") });
  const bytes = await repository.git("cat-file", "commit", "HEAD");
  await writeFile(join(folder, "forged"), `${bytes.replace("a signed change", "another change")}\n`);
  const forged = await repository.git("hash-object", "-t", "commit", "-w", join(folder, "forged"));
  await repository.git("reset", "--quiet", "--hard", forged);
  await refuse(/ (?:has a bad signature|is signed by a key that is not among the signers)$/);
  await signed("ada", { "a.yaml": allowing("/two") });
  assert.equal(await rules.load(), "activated", "and the next signed one repairs it");
});

for (const mode of ["head", "every"] as const) {
  test(`${mode}: a commit that the verifying program does not read to its end is called by its signature, and the mirror stays`, async (t) => {
    const { repository, folder, allowedSignersFile, signed } = await sshSigned(t);
    const first = await signed("ada", { "a.yaml": allowing("/one") });
    const rules = await gitRules(t, repository.url, { settings: by(mode, { allowedSignersFile }) });
    await rules.load();
    await writeFile(join(rules.folder, "mirror.git", "mark"), "");
    for (let i = 0; i < 2; i++) await signed("ada", { "a.yaml": allowing(`/${i}`) });
    // More than a pipe holds, so that git is still writing it when ssh-keygen has seen that the signature is none.
    const long = await repository.commit({ "a.yaml": allowing("/long") }, `long\n\n${"x".repeat(100_000)}`);
    const bytes = await repository.git("cat-file", "commit", long);
    const signature = "gpgsig -----BEGIN SSH SIGNATURE-----\n AAAA\n -----END SSH SIGNATURE-----\n";
    await writeFile(join(folder, "forged"), `${bytes.replace("\n\n", `\n${signature}\n`)}\n`);
    const forged = await repository.git("hash-object", "-t", "commit", "-w", join(folder, "forged"));
    await repository.git("reset", "--quiet", "--hard", forged);
    if (mode === "every") for (let i = 2; i < 4; i++) await signed("ada", { "a.yaml": allowing(`/${i}`) });
    for (let i = 0; i < 2; i++) {
      assert.equal(await rules.load(), "refused");
      const { candidate } = rules.status();
      assert.deepEqual(
        [candidate?.code, candidate?.message, rules.commit()],
        ["git/signature", `the commit ${forged} has a signature that cannot be read`, first],
      );
    }
    assert.ok((await readdir(join(rules.folder, "mirror.git"))).includes("mark"), rules.logged());
    await repository.git("reset", "--quiet", "--hard", first);
    const next = await signed("ada", { "a.yaml": allowing("/next") });
    assert.deepEqual([await rules.load(), rules.commit()], ["activated", next]);
  });
}

test("a key that is allowed to sign something else than commits does not count", async (t) => {
  const { repository, folder, allowedSignersFile, signed } = await sshSigned(t);
  await signed("ada", { "a.yaml": allowing("/one") });
  await writeFile(
    allowedSignersFile,
    `ada@example.org namespaces="file" ${await readFile(join(folder, "ada.pub"), "utf8")}`,
  );
  const rules = await gitRules(t, repository.url, { settings: by("head", { allowedSignersFile }) });
  assert.equal(await rules.load(), "refused");
  assert.equal(rules.code(), "git/signature");
});

test("every: one commit in between that is not signed refuses what follows; head: it does not", async (t) => {
  const { repository, allowedSignersFile, signed } = await sshSigned(t);
  await repository.commit({ "a.yaml": allowing("/unsigned-past") });
  const first = await signed("ada", { "a.yaml": allowing("/one") });
  const every = await gitRules(t, repository.url, { settings: by("every", { allowedSignersFile }) });
  const head = await gitRules(t, repository.url, { settings: by("head", { allowedSignersFile }) });
  await every.load();
  await head.load();
  const sneaked = await repository.commit({ "b.yaml": allowing("/sneaked", "b") });
  const newest = await signed("ada", { "a.yaml": allowing("/two") });
  assert.deepEqual([await head.load(), head.commit()], ["activated", newest]);
  assert.deepEqual([await every.load(), every.commit(), every.code()], ["refused", first, "git/signature"]);
  assert.ok(every.status().candidate!.message.includes(sneaked), "the commit is named");
  await repository.git("reset", "--quiet", "--hard", first);
  for (let i = 0; i < 3; i++) await signed("ada", { "a.yaml": allowing(`/${i}`) });
  assert.equal(await every.load(), "activated", every.logged());
  await every.sync.stop();
  const settings = by("every", { allowedSignersFile });
  const again = await gitRules(t, repository.url, { folder: every.folder, settings });
  assert.equal(await again.load(), "activated", again.logged());
  assert.equal(again.status().current, true, "what was taken before is not looked at again");
});

test("every: what a cut-off history hides, or shows as new, is looked at as what it is", async (t) => {
  const { repository, allowedSignersFile, signed } = await sshSigned(t);
  await repository.commit({ "z.yaml": allowing("/unsigned-past", "z") });
  await repository.git("branch", "old");
  await signed("ada", { "a.yaml": allowing("/one") });
  const every = await gitRules(t, repository.url, { settings: by("every", { allowedSignersFile }) });
  await every.load();
  const merge = async (branch: string) => {
    await repository.git("checkout", "--quiet", "main");
    await repository.git("merge", "--quiet", "--no-ff", "-S", "-m", "a merge", branch);
  };
  await repository.git("checkout", "--quiet", "old");
  await signed("ada", { "o.yaml": allowing("/old", "o") });
  await merge("old");
  assert.equal(await every.load(), "activated", `older than what is in force: ${every.logged()}`);

  await repository.git("checkout", "--quiet", "-b", "side");
  const sneaked = await repository.commit({ "b.yaml": allowing("/sneaked", "b") });
  await signed("ada", { "c.yaml": allowing("/c", "c") });
  const settings = { reference: { kind: "branch", name: "side" }, ...by("head", { allowedSignersFile }) } as const;
  const beside = await gitRules(t, repository.url, { folder: every.folder, settings });
  assert.equal(await beside.load(), "activated", "its first fetch cuts the history off in the mirror that they share");
  await merge("side");
  assert.equal(await every.load(), "refused");
  assert.ok(every.status().candidate!.message.includes(sneaked), every.status().candidate!.message);
});

test("every: a remote that keeps the history to itself is not believed", async (t) => {
  const { repository, allowedSignersFile, signed } = await sshSigned(t);
  await signed("ada", { "a.yaml": allowing("/one") });
  const settings = { ...by("every", { allowedSignersFile }), allowForced: true };
  const clone = await tempFolder(t);
  await repository.git("clone", "--quiet", "--bare", "--depth=1", repository.url, clone);
  const rules = await gitRules(t, `file://${clone}`, { settings });
  assert.equal(await rules.load(), "activated", rules.logged());
  await repository.commit({ "b.yaml": allowing("/sneaked", "b") });
  const head = await signed("ada", { "a.yaml": allowing("/two") });
  await repository.git("--git-dir", clone, "fetch", "--quiet", "--depth=1", repository.url, "+main:main");
  assert.equal(await rules.load(), "refused");
  assert.equal(rules.status().candidate!.message, `what comes before the commit ${head} was not sent`);
});

test("every, with a rewritten history that is allowed: what the signed head brings along is looked at too", async (t) => {
  const { repository, allowedSignersFile, signed } = await sshSigned(t);
  const base = await signed("ada", { "a.yaml": allowing("/base") });
  const good = await signed("ada", { "a.yaml": allowing("/one") });
  const settings = { ...by("every", { allowedSignersFile }), allowForced: true };
  const rules = await gitRules(t, repository.url, { settings });
  await rules.load();
  await repository.git("reset", "--quiet", "--hard", base);
  const sneaked = await repository.commit({ "b.yaml": allowing("/sneaked", "b") });
  await signed("ada", { "a.yaml": allowing("/two") });
  for (const lose of [async () => undefined, () => rm(join(rules.folder, "mirror.git"), { recursive: true })]) {
    await lose();
    assert.equal(await rules.load(), "refused");
    assert.deepEqual([rules.code(), rules.commit()], ["git/signature", good]);
    assert.ok(rules.status().candidate!.message.includes(sneaked), rules.status().candidate!.message);
  }
  await repository.git("reset", "--quiet", "--hard", base);
  const rewritten = await signed("ada", { "a.yaml": allowing("/three") });
  assert.equal(await rules.load(), "activated", rules.logged());
  assert.equal(rules.commit(), rewritten);
});

test("the signers are read at each attempt; whoever is added counts at once", async (t) => {
  const { repository, folder, allowedSignersFile, signed } = await sshSigned(t);
  await signed("eve", { "a.yaml": allowing("/one") });
  const rules = await gitRules(t, repository.url, { settings: by("head", { allowedSignersFile }) });
  assert.equal(await rules.load(), "refused");
  await writeFile(allowedSignersFile, `eve@example.org ${await readFile(join(folder, "eve.pub"), "utf8")}`);
  assert.equal(await rules.load(), "activated");
  await rm(allowedSignersFile);
  await rules.load();
  assert.equal(rules.code(), "git/signers");
  await writeFile(allowedSignersFile, "\n");
  await rules.load();
  assert.equal(rules.code(), "git/signers");
});

test("rules of the last run are not used when other signers are trusted now, or none were asked for then", async (t) => {
  const { repository, folder, allowedSignersFile, signed } = await sshSigned(t);
  await signed("ada", { "a.yaml": allowing("/one") });
  const settings = by("head", { allowedSignersFile });
  const first = await gitRules(t, repository.url, { settings });
  await first.load();
  await first.sync.stop();
  await rm(repository.folder, { recursive: true });
  const again = await gitRules(t, repository.url, { settings, folder: first.folder });
  assert.equal(await again.load(), "activated", again.logged());
  await again.sync.stop();
  await writeFile(allowedSignersFile, `eve@example.org ${await readFile(join(folder, "eve.pub"), "utf8")}`);
  const other = await gitRules(t, repository.url, { settings, folder: first.folder });
  assert.equal(await other.load(), "refused");
  assert.equal(other.status().ready, false);
  assert.match(other.logged(), /on the word of other signers/);
  assert.match(other.status().warnings.join(), /on the word of other signers, and are not used$/);
});

test("rules of the last run are used when nothing could be asked, not even for the signers", async (t) => {
  const { repository, allowedSignersFile, signed } = await sshSigned(t);
  const good = await signed("ada", { "a.yaml": allowing("/one") });
  const settings = by("head", { allowedSignersFile });
  const first = await gitRules(t, repository.url, { settings });
  await first.load();
  await first.sync.stop();
  await rm(join(first.folder, "lock"));
  await mkdir(join(first.folder, "lock"));
  const again = await gitRules(t, repository.url, { settings, folder: first.folder });
  assert.equal(await again.load(), "activated", again.logged());
  assert.deepEqual([again.commit(), again.code(), again.status().ready], [good, "git/mirror", true]);
  await again.sync.stop();
  await rm(allowedSignersFile);
  const blind = await gitRules(t, repository.url, { settings, folder: first.folder });
  assert.equal(await blind.load(), "refused", "signers that cannot be read are nobody's word");
});

test("OpenPGP: a signer's commit is taken, another's and a key that is in no file are refused", async (t) => {
  const { home: folder, environment, gpg } = await openpgpHome(t);
  for (const name of ["ada", "eve"]) {
    gpg("--quick-generate-key", `${name} <${name}@example.org>`, "ed25519", "sign", "never");
  }
  const openpgpKeysFile = join(folder, "signers.asc");
  await writeFile(openpgpKeysFile, gpg("--armor", "--export", "ada@example.org"));
  const repository = await testRepository(t, environment);
  const good = await signCommit(repository, "ada@example.org", { "a.yaml": allowing("/one") });
  const rules = await gitRules(t, repository.url, { settings: by("head", { openpgpKeysFile }) });
  assert.equal(await rules.load(), "activated", rules.logged());
  assert.match(rules.status().active?.revision?.signer ?? "", /^ada <ada@example\.org> [0-9A-F]{40}$/);
  await signCommit(repository, "eve@example.org", { "a.yaml": allowing("/two") });
  assert.equal(await rules.load(), "refused");
  assert.deepEqual([rules.code(), rules.commit()], ["git/signature", good]);
  assert.equal(await rules.load(), "refused", "with a key ring that is made anew");
  assert.equal(rules.logged().split('"code":"git/signature"').length, 2, "told once");
  const [ring = ""] = (await readdir(rules.folder)).filter((name) => name.startsWith("keys-"));
  await writeFile(join(rules.folder, ring, "pubring.kbx"), "damage");
  await repository.git("reset", "--quiet", "--hard", good);
  const next = await signCommit(repository, "ada@example.org", { "a.yaml": allowing("/three") });
  await rules.load();
  await rules.load();
  assert.equal(rules.commit(), next, "a damaged key ring is made anew");
  await writeFile(openpgpKeysFile, "no keys");
  await rules.load();
  assert.equal(rules.code(), "git/signers");
});

test("other signers are asked about what is in force too: what none of them signed is told, and stays until the next commit", async (t) => {
  const { repository, folder, allowedSignersFile, signed } = await sshSigned(t);
  const good = await signed("ada", { "a.yaml": allowing("/one") });
  const settings = by("every", { allowedSignersFile });
  const rules = await gitRules(t, repository.url, { settings });
  await rules.load();
  const line = async (name: string) => `${name}@example.org ${await readFile(join(folder, `${name}.pub`), "utf8")}`;
  await writeFile(allowedSignersFile, await line("eve"));
  for (let i = 0; i < 2; i++) {
    assert.equal(await rules.load(), "refused");
    assert.deepEqual([rules.code(), rules.commit(), rules.status().ready], ["git/signature", good, true]);
  }
  const [warning = ""] = sourceWarnings(rules.status(), undefined);
  assert.match(warning, /^the policies in force would not be taken any more, since .* \[git\/signature\]$/);
  await signed("eve", { "a.yaml": allowing("/two") });
  assert.equal(await rules.load(), "activated", rules.logged());
  assert.equal(rules.status().current, true);
});

test("rules of the last run count by the word of the signers of now, where these have signed them too", async (t) => {
  const { repository, folder, allowedSignersFile, signed } = await sshSigned(t);
  const good = await signed("ada", { "a.yaml": allowing("/one") });
  const settings = by("head", { allowedSignersFile });
  const first = await gitRules(t, repository.url, { settings });
  await first.load();
  const eve = `eve@example.org ${await readFile(join(folder, "eve.pub"), "utf8")}`;
  await writeFile(allowedSignersFile, (await readFile(allowedSignersFile, "utf8")) + eve);
  assert.equal(await first.load(), "unchanged");
  await first.sync.stop();
  await rm(repository.folder, { recursive: true });
  const again = await gitRules(t, repository.url, { settings, folder: first.folder });
  assert.equal(await again.load(), "activated", again.logged());
  assert.equal(again.commit(), good);
});
