import { execFileSync } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { TestContext } from "node:test";
import type { SignatureSettings } from "#authz/rulesets/git/settings";
import { tempFolder } from "#test/support/service/temp-folder";
import { type TestRepository, testRepository } from "./test-repository.ts";

/** A repository and two SSH keys, of which one is a signer's. */
export async function sshSigned(t: TestContext) {
  const folder = await tempFolder(t);
  for (const name of ["ada", "eve"]) {
    execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", name, "-f", join(folder, name)]);
  }
  const allowedSignersFile = join(folder, "signers");
  await writeFile(
    allowedSignersFile,
    `ada@example.org namespaces="git" ${await readFile(join(folder, "ada.pub"), "utf8")}`,
  );
  const repository = await testRepository(t);
  await repository.git("config", "gpg.format", "ssh");
  const signed = (by: string, files: Record<string, string>) => signCommit(repository, join(folder, by), files);
  return { repository, folder, allowedSignersFile, signed };
}

/** Commits in the name of a key, in the format that the repository is set to. */
export async function signCommit(
  repository: TestRepository,
  key: string,
  files: Record<string, string>,
): Promise<string> {
  await repository.git("config", "user.signingKey", key);
  return repository.commit(files, "a signed change", "-S");
}

/** Settings by which signatures are verified. */
export const by = (
  mode: SignatureSettings["mode"],
  files: Partial<SignatureSettings>,
): { signatures: SignatureSettings } => ({
  signatures: { mode, allowedSignersFile: undefined, openpgpKeysFile: undefined, ...files },
});
