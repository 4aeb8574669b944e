import { createHash } from "node:crypto";
import { dirname, join } from "node:path";
import { CodedError } from "#platform/coded-error";
import { checkGitSettings } from "./check-settings.ts";
import { type GitEnvironment, gitEnvironment, withoutRemote } from "./git-environment.ts";
import { parseRemote } from "./parse-remote.ts";
import { type Run, runProgram } from "./run-program.ts";
import { fullReference, type GitSettings } from "./settings.ts";
import type { Ran } from "./start-program.ts";

/** What git is run with for one source. Plain values: it can be given to a thread. */
export interface Repository {
  /** A mirror of our own that can be made anew; or somebody's clone on this machine, which is only read. */
  readonly kind: "mirror" | "clone";
  readonly url: string;
  readonly folder: string;
  /** The repository itself: the bare mirror inside `folder`; of a clone its `.git`. */
  readonly mirror: string;
  /** As git names it: `refs/heads/main`. */
  readonly reference: string;
  readonly path: string;
  /** Differs for each URL, reference and path, so that sources share a folder without sharing a reference. */
  readonly key: string;
  /** For what asks the remote. */
  readonly environment: GitEnvironment;
  readonly timeoutMillis: number;
}

/** Fails with `git/argument` for settings that git could take for something else. */
export function describeRepository(
  settings: GitSettings,
  outside: Readonly<Record<string, string | undefined>>,
): Repository {
  const [fault] = checkGitSettings(settings);
  const parsed = parseRemote(settings.url);
  if (fault !== undefined || !parsed.ok) throw new CodedError("git/argument", fault?.message ?? "no such remote");
  const { folder, path, timeoutMillis, credentials } = settings;
  const mirror = join(folder, "mirror.git");
  const reference = fullReference(settings.reference);
  const key = createHash("sha256")
    .update(JSON.stringify([settings.url, reference, path]))
    .digest("hex")
    .slice(0, 16);
  const environment = gitEnvironment({ remote: parsed.remote, credentials, mirror, outside });
  return { kind: "mirror", url: parsed.remote.url, folder, mirror, reference, path, key, environment, timeoutMillis };
}

/** What starts and ends a call of git. */
export type GitParts = Pick<Run, "timers" | "signal" | "start">;

export type GitCall = Pick<Run, "args" | "timers"> & Partial<Omit<Run, "program" | "args" | "timers" | "cwd">>;

const smallOutputBytes = 4 * 1024 * 1024;
/** Whoever may push may make a million references that end as ours does, all of which are told. */
const listingBytes = 64 * 1024 * 1024;

/** Runs git in the mirror. Its own failure is a status; fails like `runProgram`, or with `source/worker` when the system has killed it. */
export async function runGit(repository: Repository, call: GitCall): Promise<Ran> {
  const { environment, folder, timeoutMillis } = repository;
  const ran = await runProgram({
    program: "git",
    environment,
    cwd: folder,
    timeoutMillis,
    maxOutputBytes: smallOutputBytes,
    ...call,
  });
  // What it has not found then may be there.
  if (ran.signal === "SIGKILL") throw killed(`git ${call.args[0]}`);
  return ran;
}

/** Of a program that the system has killed, which it does for want of memory. */
export function killed(program: string): CodedError {
  return new CodedError("source/worker", `\`${program}\` was killed: there may be too little memory`);
}

/** What is read, in words. */
export function placeText({ kind, mirror }: Repository): string {
  return kind === "mirror" ? "the mirror" : `the repository \`${mirror}\``;
}

/** As `runGit`, of what is in the mirror alone; its failure is `git/mirror`: something that should be there is not. */
export async function readGit(repository: Repository, call: GitCall): Promise<Buffer> {
  const environment = withoutRemote(repository.environment);
  const { status, signal, output, told } = await runGit(repository, { environment, ...call });
  if (status === 0) return output;
  const why = told || (signal ?? `status ${status}`);
  throw new CodedError("git/mirror", `${placeText(repository)} cannot be read: \`git ${call.args[0]}\`: ${why}`);
}

/**
 * The object that the reference names now, as the remote says; of an annotated tag its commit. The mirror is not touched, so that a failure is the remote's. Fails
 * with `git/unreachable` or `git/unknown-reference`.
 */
export async function askRemote(repository: Repository, parts: GitParts): Promise<string> {
  const { url, folder, reference } = repository;
  const { GIT_DIR: _, ...environment } = repository.environment;
  const { status, output, told } = await runGit(repository, {
    args: ["ls-remote", "--quiet", "--", url, reference, `${reference}^{}`],
    environment: { ...environment, GIT_CEILING_DIRECTORIES: dirname(folder) },
    maxOutputBytes: listingBytes,
    ...parts,
  });
  if (status !== 0) {
    // What git advises then is a configuration that is not read here.
    const why = told.includes("dubious ownership") ? "it does not belong to the user of the service" : told;
    throw new CodedError("git/unreachable", `\`${url}\` cannot be asked: ${why || `status ${status}`}`);
  }
  const named = (name: string) => {
    const end = output.indexOf(`\t${name}\n`);
    return end === -1 ? undefined : output.toString("latin1", output.lastIndexOf("\n", end) + 1, end);
  };
  const found = named(`${reference}^{}`) ?? named(reference);
  if (found === undefined || !isObjectName(found))
    throw new CodedError("git/unknown-reference", `\`${url}\` has no \`${reference}\``);
  return found;
}

/** SHA-1 or SHA-256, in hexadecimal. */
export function isObjectName(text: string): boolean {
  return /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/.test(text);
}
