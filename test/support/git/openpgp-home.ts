import { execFileSync } from "node:child_process";
import { chmod } from "node:fs/promises";
import type { TestContext } from "node:test";
import { tempFolder } from "#test/support/service/temp-folder";

/** A home of gpg without a key, and gpg with it: no questions, empty passphrases, its output. Ends with the test, its agent too. */
export async function openpgpHome(t: TestContext) {
  const home = await tempFolder(t);
  await chmod(home, 0o700);
  const environment = { GNUPGHOME: home };
  const env = { ...process.env, ...environment };
  t.after(() => execFileSync("gpgconf", ["--kill", "all"], { env }));
  const gpg = (...args: readonly string[]): Buffer =>
    execFileSync("gpg", ["--batch", "--quiet", "--passphrase", "", ...args], {
      env,
      stdio: ["ignore", "pipe", "ignore"],
    });
  return { home, environment, gpg };
}
