import { createHash } from "node:crypto";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { CodedError, messageOf } from "#platform/coded-error";
import { type GitEnvironment, withConfiguration, withoutRemote } from "./git-environment.ts";
import type { GitParts, Repository } from "./repository.ts";
import { runProgram } from "./run-program.ts";
import type { SignatureSettings } from "./settings.ts";

/** Whose signatures count, made ready for git. */
export interface TrustedSigners {
  /** Differs when other signers are trusted, or more is asked of them: what was taken under another one is to be looked at again. */
  readonly mark: string;
  readonly environment: GitEnvironment;
}

/**
 * Reads the files of the signers as they are now. OpenPGP keys get a key ring of their own inside the folder, in which nothing else is; it is
 * kept, unless it is wanted `anew`. Fails with `git/signers`, or `git/missing` without the program that verifies.
 */
export async function readTrustedSigners(
  repository: Repository,
  settings: SignatureSettings,
  parts: GitParts,
  anew: boolean,
): Promise<TrustedSigners> {
  const { allowedSignersFile, openpgpKeysFile } = settings;
  const { ssh, openpgp, mark } = await readFiles(settings);
  // git calls a signature bad when the program is missing that verifies it.
  if (ssh !== undefined) await demandProgram(repository, "ssh-keygen", "-?", parts);
  if (openpgp !== undefined) await demandProgram(repository, "gpg", "--version", parts);
  const base = withoutRemote(repository.environment);
  const environment = withConfiguration(base, [
    ["gpg.ssh.allowedSignersFile", ssh === undefined ? "/dev/null" : allowedSignersFile!],
    ["gpg.program", openpgp === undefined ? "/bin/false" : "gpg"],
    ["gpg.x509.program", "/bin/false"],
    // A good signature by a key that is not named is not enough.
    ["gpg.minTrustLevel", "fully"],
  ]);
  if (openpgp === undefined) return { mark, environment };
  const ring = join(repository.folder, `keys-${digestOf(openpgp).slice(0, 16)}`);
  if (anew || !(await isRing(ring))) await makeRing(repository, ring, openpgpKeysFile!, parts);
  return { mark, environment: { ...environment, GNUPGHOME: ring } };
}

/** The mark of the signers as their files are now. Fails with `git/signers`. */
export async function markOfSigners(settings: SignatureSettings): Promise<string> {
  return (await readFiles(settings)).mark;
}

async function readFiles({ mode, allowedSignersFile, openpgpKeysFile }: SignatureSettings) {
  const [ssh, openpgp] = await Promise.all([readKeys(allowedSignersFile), readKeys(openpgpKeysFile)]);
  const mark = digestOf(JSON.stringify([mode, ssh && digestOf(ssh), openpgp && digestOf(openpgp)]));
  return { ssh, openpgp, mark };
}

/** Whatever it says to `option`: it is there. */
async function demandProgram(
  repository: Repository,
  program: "gpg" | "ssh-keygen",
  option: string,
  parts: GitParts,
): Promise<void> {
  const { environment, folder, timeoutMillis } = repository;
  await runProgram({
    ...parts,
    program,
    args: [option],
    environment,
    cwd: folder,
    timeoutMillis,
    maxOutputBytes: 64 * 1024,
  });
}

async function readKeys(file: string | undefined): Promise<Buffer | undefined> {
  if (file === undefined) return undefined;
  const bytes = await readFile(file).catch((cause: unknown) => {
    throw new CodedError("git/signers", `the signers \`${file}\` cannot be read: ${messageOf(cause)}`, { cause });
  });
  if (bytes.toString("latin1").trim() === "")
    throw new CodedError("git/signers", `the signers \`${file}\` name nobody`);
  return bytes;
}

/** Every key in the ring is trusted; none is fetched. (gpg(1).) */
const ringOptions = "trust-model always\nno-auto-key-retrieve\nno-autostart\n";

async function isRing(ring: string): Promise<boolean> {
  return (await readFile(join(ring, "gpg.conf"), "utf8").catch(() => "")) === ringOptions;
}

async function makeRing(repository: Repository, ring: string, file: string, parts: GitParts): Promise<void> {
  const draft = `${ring}.new`;
  try {
    await rm(draft, { recursive: true, force: true });
    await rm(ring, { recursive: true, force: true });
    await mkdir(draft, { recursive: true, mode: 0o700 });
    await writeFile(join(draft, "gpg.conf"), ringOptions);
  } catch (cause) {
    throw new CodedError("git/signers", `no key ring can be made: ${messageOf(cause)}`, { cause });
  }
  const { status, told } = await runProgram({
    ...parts,
    program: "gpg",
    args: ["--batch", "--quiet", "--homedir", draft, "--import", file],
    environment: repository.environment,
    cwd: repository.folder,
    timeoutMillis: repository.timeoutMillis,
    maxOutputBytes: 64 * 1024,
  });
  if (status !== 0) throw new CodedError("git/signers", `the signers \`${file}\` are no OpenPGP keys: ${told}`);
  await rename(draft, ring);
}

function digestOf(content: string | Uint8Array): string {
  return createHash("sha256").update(content).digest("hex");
}
