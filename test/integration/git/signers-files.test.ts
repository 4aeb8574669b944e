import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { copyFile, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import type { SignatureSettings } from "#authz/rulesets/git/settings";
import { gitRules } from "#test/support/git/git-rules";
import { openpgpHome } from "#test/support/git/openpgp-home";
import { allowing, testRepository } from "#test/support/git/test-repository";
import { tempFolder } from "#test/support/service/temp-folder";

const head: SignatureSettings = { mode: "head", allowedSignersFile: undefined, openpgpKeysFile: undefined };

/** A commit is refused for who has signed it, with what is said of it; undefined: it is taken. */
type Verdict = RegExp | undefined;

const stranger = /is signed by a key that is not among the signers$/;

test("ssh-keygen(1), ALLOWED SIGNERS: patterns, lists, times and authorities count as they are written", async (t) => {
  const folder = await tempFolder(t);
  const keys = new Map<string, string>();
  for (const name of ["ada", "authority", "other"]) {
    execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", join(folder, name)]);
    keys.set(name, (await readFile(join(folder, `${name}.pub`), "utf8")).trim());
  }
  await copyFile(join(folder, "ada"), join(folder, "certified"));
  await copyFile(join(folder, "ada.pub"), join(folder, "certified.pub"));
  const certify = [
    "-q",
    "-s",
    join(folder, "authority"),
    "-I",
    "ada",
    "-n",
    "ada@x.org",
    join(folder, "certified.pub"),
  ];
  execFileSync("ssh-keygen", certify);
  const [ada, authority, other] = ["ada", "authority", "other"].map((name) => keys.get(name));
  const repository = await testRepository(t);
  await repository.git("config", "gpg.format", "ssh");
  const allowedSignersFile = join(folder, "signers");
  const rows: readonly (readonly [lines: string, key: string, verdict: Verdict])[] = [
    [`*@x.org namespaces="git" ${ada}`, "ada", undefined],
    [`eve@x.org,ada@x.org namespaces="file,git" ${ada}`, "ada", undefined],
    [`ada@x.org namespaces="file,mail" ${ada}`, "ada", /has a bad signature$/],
    [`ada@x.org valid-before="20200101" ${ada}`, "ada", stranger],
    [`ada@x.org valid-after="29990101" ${ada}`, "ada", stranger],
    [`ada@x.org valid-before="20200101" ${ada}\nada@x.org ${ada}`, "ada", undefined],
    [`no line of signers\nada@x.org ${ada}`, "ada", undefined],
    ["# nobody", "ada", stranger],
    [`*@x.org cert-authority ${authority}`, "certified-cert.pub", undefined],
    [`*@y.org cert-authority ${authority}`, "certified-cert.pub", stranger],
    [`*@x.org cert-authority ${other}`, "certified-cert.pub", stranger],
    [`*@x.org ${authority}`, "certified-cert.pub", stranger],
    [`*@x.org cert-authority ${authority}`, "ada", stranger],
    [`*@x.org cert-authority ${authority}`, "authority", stranger],
  ];
  for (const [i, [lines, key, verdict]] of rows.entries()) {
    await writeFile(allowedSignersFile, `${lines}\n`);
    await repository.git("config", "user.signingKey", join(folder, key));
    const commit = await repository.commit({ "a.yaml": allowing(`/${i}`) }, "signed", "-S");
    const rules = await gitRules(t, repository.url, { settings: { signatures: { ...head, allowedSignersFile } } });
    await rules.load();
    assert.equal(rules.commit(), verdict === undefined ? commit : undefined, `${lines}: ${rules.logged()}`);
    assert.match(rules.status().candidate?.message ?? "", verdict ?? /^$/, lines);
  }
});

test("OpenPGP: several keys, armored and not, subkeys, and keys that have ended or were withdrawn", async (t) => {
  const { home: folder, environment, gpg } = await openpgpHome(t);
  const past = ["--faked-system-time", "20200101T000000!"];
  for (const name of ["ada", "eve", "gone"]) gpg("--quick-generate-key", `${name}@x.org`, "ed25519", "sign", "never");
  gpg(...past, "--quick-generate-key", "old@x.org", "ed25519", "sign", "1d");
  gpg("--quick-generate-key", "sub@x.org", "ed25519", "cert", "never");
  const fingerprint = (name: string) =>
    /^fpr:+([0-9A-F]{40}):/m.exec(gpg("--with-colons", "--list-keys", name).toString())?.[1] ?? "";
  gpg("--quick-add-key", fingerprint("sub@x.org"), "ed25519", "sign", "never");
  const inThePast = join(folder, "gpg-of-the-past");
  await writeFile(inThePast, `#!/bin/sh\nexec gpg ${past.join(" ")} "$@"\n`, { mode: 0o755 });

  const repository = await testRepository(t, environment);
  const openpgpKeysFile = join(folder, "keys");
  let edits = 0;
  /** The rules of a service whose signers are these, of a commit that this one has signed. */
  const expect = async (keys: Buffer, name: string, verdict: Verdict) => {
    await writeFile(openpgpKeysFile, keys);
    await repository.git("config", "user.signingKey", name);
    const commit = await repository.commit({ "a.yaml": allowing(`/${edits++}`) }, "signed", "-S");
    const rules = await gitRules(t, repository.url, { settings: { signatures: { ...head, openpgpKeysFile } } });
    await rules.load();
    assert.equal(rules.commit(), verdict === undefined ? commit : undefined, rules.logged());
    assert.match(rules.status().candidate?.message ?? "", verdict ?? /^$/);
    return rules;
  };
  const armored = (...names: string[]) => gpg("--armor", "--export", ...names);
  const bare = (...names: string[]) => gpg("--export", ...names);
  await expect(Buffer.concat([armored("ada@x.org"), armored("eve@x.org")]), "eve@x.org", undefined);
  await expect(Buffer.concat([bare("ada@x.org"), bare("eve@x.org")]), "eve@x.org", undefined);
  await expect(armored("ada@x.org", "old@x.org"), "ada@x.org", undefined);
  await expect(armored("sub@x.org"), "sub@x.org", undefined);
  const running = await expect(armored("ada@x.org", "gone@x.org"), "gone@x.org", undefined);
  await repository.git("config", "gpg.program", inThePast);
  await expect(armored("ada@x.org", "old@x.org"), "old@x.org", /is signed by a key that has ended$/);
  await repository.git("reset", "--quiet", "--hard", "HEAD~1");

  const revocation = join(folder, "openpgp-revocs.d", `${fingerprint("gone@x.org")}.rev`);
  await writeFile(
    join(folder, "revocation"),
    (await readFile(revocation, "utf8")).replace(":-----BEGIN", "-----BEGIN"),
  );
  gpg("--import", join(folder, "revocation"));
  await writeFile(openpgpKeysFile, armored("ada@x.org", "gone@x.org"));
  await running.load();
  assert.match(running.status().candidate?.message ?? "", /is signed by a key that was withdrawn$/);
  assert.equal(running.status().ready, true);
});
