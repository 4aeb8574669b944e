import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { gitRules } from "#test/support/git/git-rules";
import { openpgpHome } from "#test/support/git/openpgp-home";
import { by } from "#test/support/git/ssh-signed";
import { allowing, testRepository } from "#test/support/git/test-repository";

/** OpenPGP: one signs with a subkey, one with a key that is long. */
async function openpgpSigners(t: TestContext) {
  const { home, environment, gpg } = await openpgpHome(t);
  gpg("--quick-generate-key", "ada@x.org", "rsa2048", "cert", "never");
  const primary = /^fpr:+([0-9A-F]+):/m.exec(gpg("--list-keys", "--with-colons").toString("latin1"))![1]!;
  gpg("--quick-add-key", primary, "ed25519", "sign", "never");
  gpg("--quick-generate-key", "bob@x.org", "rsa4096", "sign", "never");
  const openpgpKeysFile = join(home, "keys");
  await writeFile(openpgpKeysFile, gpg("--export"));
  return { home, environment, openpgpKeysFile };
}

/** SSH: a key of each kind that needs no device, and one that an authority vouches for. */
async function sshSigners(folder: string): Promise<string> {
  const keygen = (...args: string[]) => execFileSync("ssh-keygen", ["-q", ...args]);
  for (const [name, ...kind] of [
    ["ed25519", "ed25519"],
    ["rsa", "rsa", "-b", "3072"],
    ["ecdsa", "ecdsa", "-b", "521"],
    ["authority", "ed25519"],
    ["vouched", "ed25519"],
  ] as const) {
    keygen("-N", "", "-f", join(folder, name), "-t", ...kind);
  }
  keygen("-s", join(folder, "authority"), "-I", "vouched", "-n", "vouched@x.org", join(folder, "vouched.pub"));
  const line = async (name: string, option = "") =>
    `${name}@x.org ${option}${await readFile(join(folder, `${name === "vouched" ? "authority" : name}.pub`), "utf8")}`;
  const allowedSignersFile = join(folder, "signers");
  const lines = await Promise.all([line("ed25519"), line("rsa"), line("ecdsa"), line("vouched", "cert-authority ")]);
  await writeFile(allowedSignersFile, lines.join(""));
  return allowedSignersFile;
}

for (const format of ["sha1", "sha256"]) {
  test(`every: what git signs with each kind of key is taken, in a repository of ${format}`, async (t) => {
    const { home, environment, openpgpKeysFile } = await openpgpSigners(t);
    const allowedSignersFile = await sshSigners(home);
    const { git, folder, url, commit } = await testRepository(t, { ...environment, GIT_DEFAULT_HASH: format });
    const signWith = async (kind: "openpgp" | "ssh", key: string) => {
      await git("config", "gpg.format", kind);
      await git("config", "user.signingKey", key);
    };
    await signWith("openpgp", "ada@x.org");
    await commit({ "a.yaml": allowing("/") }, "a signed change", "-S");
    const rules = await gitRules(t, url, { settings: by("every", { allowedSignersFile, openpgpKeysFile }) });
    await rules.load();
    const demandTaken = async (what: string) => {
      assert.equal(await rules.load(), "activated", `${what}: ${rules.logged()}`);
      assert.equal(rules.commit(), await git("rev-parse", "HEAD"), what);
    };
    for (const [kind, key] of [
      ["openpgp", "ada@x.org"],
      ["openpgp", "bob@x.org"],
      ["ssh", join(home, "ed25519")],
      ["ssh", join(home, "rsa")],
      ["ssh", join(home, "ecdsa")],
      ["ssh", join(home, "vouched-cert.pub")],
    ] as const) {
      await signWith(kind, key);
      await commit({ "a.yaml": allowing(`/${key}`) }, "", "--allow-empty-message", "-S");
      await demandTaken(key);
    }
    await git("config", "i18n.commitEncoding", "ISO-8859-1");
    await commit({ "a.yaml": allowing("/encoded") }, "a header more", "-S");
    await demandTaken("encoding");
    // The headers of a merge hold the tags that are merged, with what these say and their signatures.
    for (const name of ["one", "two"]) {
      await git("checkout", "--quiet", "-b", name, "main");
      await commit({ [`${name}.txt`]: "" }, "a side", "-S");
      await writeFile(join(folder, ".git/said"), "what a release brings\n".repeat(10_000));
      await git("tag", "-s", "-F", ".git/said", `tag-${name}`);
    }
    await git("checkout", "--quiet", "main");
    await commit({ "a.yaml": allowing("/merged") }, "a change beside them", "-S");
    await git("merge", "--quiet", "-S", "-m", "a merge of three", "tag-one", "tag-two");
    assert.equal((await git("cat-file", "commit", "HEAD")).match(/^(?:parent|mergetag) /gm)?.length, 5);
    await demandTaken("mergetag");
  });
}
