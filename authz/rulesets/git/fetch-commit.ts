import { access, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { CodedError, messageOf } from "#platform/coded-error";
import { yamlLimits } from "#policy-compiler/yaml/limits";
import { withoutRemote } from "./git-environment.ts";
import { type GitParts, isObjectName, type Repository, readGit, runGit } from "./repository.ts";

export interface FetchParts extends GitParts {
  readonly maxMirrorBytes: number;
  /** What the remote named when it was asked: the mirror names its objects as the remote does. */
  readonly asked: string;
  /** The newest commit that was taken; it stays in the mirror. */
  readonly known: string | undefined;
}

/**
 * Brings what the reference names now into the mirror, and tells its commit. The first time without its history, later with what lies between. What is larger
 * than a policy file can be stays away where the server allows. INVARIANT: the caller holds the folder's lock. Fails with `git/mirror`
 * when the mirror is damaged or cannot be written (the remote answered a moment ago), `git/unknown-reference`, `git/too-slow` or `source/too-large`.
 */
export async function fetchCommit(repository: Repository, parts: FetchParts): Promise<string> {
  const { known } = parts;
  await ensureMirror(repository, parts.asked.length === 64 ? "sha256" : "sha1", parts);
  if (known !== undefined) await noteKnown(repository, known, parts);
  const isFirst = (await commitOf(repository, parts)) === undefined;
  const shallow = isFirst ? await fetch(repository, parts, ["--depth=1"]) : undefined;
  // Servers without a program of git behind them cannot cut a history off.
  const { status, told } = shallow?.status === 0 ? shallow : await fetch(repository, parts, []);
  if (status !== 0)
    throw new CodedError("git/mirror", `the mirror cannot be brought up to date with ${parts.asked}: ${told}`);
  // A failure, or too long a time, keeps nothing from being read, and shows when something cannot.
  await runGit(repository, { ...parts, args: ["gc", "--auto", "--quiet"] }).catch((fault: unknown) => {
    if (parts.signal?.aborted) throw fault;
  });
  const commit = await commitOf(repository, parts);
  if (commit === undefined) throw await lacking(repository, parts);
  return commit;
}

/** A tag may name anything; a commit that is not there is the mirror's fault. */
async function lacking(repository: Repository, parts: GitParts): Promise<CodedError> {
  const args = ["cat-file", "-t", `${newestReference(repository)}^{}`];
  const environment = withoutRemote(repository.environment);
  const type = (await runGit(repository, { ...parts, args, environment })).output.toString("latin1").trim();
  if (type !== "blob" && type !== "tree") return new CodedError("git/mirror", "the mirror lacks what was just fetched");
  const { url, reference } = repository;
  return new CodedError("git/unknown-reference", `\`${reference}\` of \`${url}\` names a ${type}: expected a commit`);
}

/** The rest of a history that a first fetch has cut off, as far as the remote has it. Fails like `fetchCommit`. */
export async function fetchHistory(repository: Repository, parts: FetchParts): Promise<void> {
  if ((await cutOffAt(repository)).size === 0) return;
  const { status, told } = await fetch(repository, parts, ["--unshallow"]);
  if (status !== 0) throw new CodedError("git/mirror", `the history of ${parts.asked} cannot be fetched: ${told}`);
}

/** The commits of the mirror that look as if nothing came before them: gitrepository-layout(5), `shallow`. */
export async function cutOffAt({ mirror }: Repository): Promise<ReadonlySet<string>> {
  const lines = await readFile(join(mirror, "shallow"), "latin1").catch(() => "");
  return new Set(lines.split("\n").filter(isObjectName));
}

/** Is `older` where `newer` comes from? False also when one of them is not in the mirror. Fails with `git/mirror` where git cannot say. */
export async function isAncestor(
  repository: Repository,
  older: string,
  newer: string,
  parts: GitParts,
): Promise<boolean> {
  const args = ["merge-base", "--is-ancestor", older, newer];
  const environment = withoutRemote(repository.environment);
  const { status, told } = await runGit(repository, { ...parts, args, environment });
  if (status === 0) return true;
  if (status === 1 || told.includes("Not a valid commit name")) return false;
  throw new CodedError("git/mirror", `the history of ${newer} cannot be read: ${told || `status ${status}`}`);
}

/** Is the commit in the mirror? */
export async function hasCommit(repository: Repository, commit: string, parts: GitParts): Promise<boolean> {
  return isObjectName(commit) && (await resolve(repository, commit, parts)) !== undefined;
}

/** Notes in the mirror which commit others have to come from, where it has that commit. Fails with `git/mirror`. */
export async function noteKnown(repository: Repository, known: string, parts: GitParts): Promise<void> {
  if (!(await hasCommit(repository, known, parts))) return;
  await readGit(repository, { ...parts, args: ["update-ref", referenceOf(repository, "known"), known] });
}

/** What was noted last; undefined for a mirror that was made anew since. */
export async function readKnown(repository: Repository, parts: GitParts): Promise<string | undefined> {
  if (!(await exists(repository.mirror))) return undefined;
  return resolve(repository, referenceOf(repository, "known"), parts);
}

/** The one commit in the mirror whose name begins with these digits, seven or more; undefined: there is none, or more than one. */
export async function findCommit(repository: Repository, digits: string, parts: GitParts): Promise<string | undefined> {
  if (!/^[0-9a-f]{7,64}$/.test(digits) || !(await exists(repository.mirror))) return undefined;
  return resolve(repository, digits, parts);
}

/** What the reference named when it was last fetched, by its name in the mirror. */
export function newestReference(repository: Repository): string {
  return referenceOf(repository, "newest");
}

async function ensureMirror(repository: Repository, format: "sha1" | "sha256", parts: GitParts): Promise<void> {
  const { mirror } = repository;
  try {
    if (await exists(join(mirror, "HEAD"))) {
      await sweep(mirror);
    } else {
      const args = ["init", "--quiet", "--bare", `--object-format=${format}`, "--template=", mirror];
      await readGit(repository, { ...parts, args });
    }
    const file = join(mirror, "config");
    const wanted = configurationOf(format);
    if ((await readFile(file, "utf8").catch(() => "")) !== wanted) await writeFile(file, wanted);
  } catch (cause) {
    if (cause instanceof CodedError) throw cause;
    throw new CodedError("git/mirror", `the folder of the mirror cannot be used: ${messageOf(cause)}`, { cause });
  }
}

/** What a program that was killed has left: whoever holds the folder's lock is alone. The temporary files are packs that did not come whole, and signatures that were looked at. */
async function sweep(mirror: string): Promise<void> {
  const packs = join("objects", "pack");
  const names = [
    "shallow.lock",
    "config.lock",
    "packed-refs.lock",
    ...(await readdir(mirror)).filter((name) => name.startsWith(".git_vtag_tmp")),
    ...(await readdir(join(mirror, packs)).catch(() => []))
      .filter((name) => name.startsWith("tmp_"))
      .map((name) => join(packs, name)),
  ];
  for (const name of names) await rm(join(mirror, name), { force: true });
}

/** All that a mirror says of itself. Written anew where it is another: a configuration can name programs, and other remotes. */
function configurationOf(format: "sha1" | "sha256"): string {
  return `[core]
\trepositoryFormatVersion = 1
\tbare = true
[extensions]
\tobjectFormat = ${format}
\tpartialClone = origin
[remote "origin"]
\tpromisor = true
`;
}

const pollMillis = 250;

async function fetch(repository: Repository, parts: FetchParts, depth: readonly string[]) {
  const args = [
    "fetch",
    "--quiet",
    "--no-tags",
    "--no-write-fetch-head",
    "--no-auto-maintenance",
    "--no-recurse-submodules",
    "--force",
    `--filter=blob:limit=${yamlLimits.fileBytes + 1}`,
    ...depth,
    "--",
    "origin",
    `+${repository.reference}:${referenceOf(repository, "newest")}`,
  ];
  const { tooMuch, end } = watchSize(repository, parts);
  try {
    const ran = await runGit(repository, { ...parts, args, tooMuch });
    if ((await objectBytes(repository.mirror)) > parts.maxMirrorBytes) throw tooLarge(parts);
    return ran;
  } finally {
    end();
  }
}

/** git has no limit for what it fetches: the objects are looked at while they grow. */
function watchSize({ mirror }: Repository, parts: FetchParts) {
  const { timers, maxMirrorBytes } = parts;
  const { promise: tooMuch, resolve } = Promise.withResolvers<CodedError>();
  let ended = false;
  const look = async () => {
    if ((await objectBytes(mirror)) > maxMirrorBytes) {
      resolve(tooLarge(parts));
    } else if (!ended) cancel = timers.after(pollMillis, look);
  };
  let cancel = timers.after(pollMillis, look);
  const end = () => {
    ended = true;
    cancel();
  };
  return { tooMuch, end };
}

function tooLarge({ maxMirrorBytes }: FetchParts): CodedError {
  return new CodedError("source/too-large", `the mirror grew beyond ${maxMirrorBytes} bytes`);
}

/** Packs, those that are still coming, and the single objects that servers without a program of git behind them give. */
async function objectBytes(mirror: string): Promise<number> {
  const entries = await readdir(join(mirror, "objects"), { recursive: true, withFileTypes: true }).catch(() => []);
  const sizes = entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) =>
      stat(join(parentPath, name)).then(
        ({ size }) => size,
        () => 0,
      ),
    );
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
}

function commitOf(repository: Repository, parts: GitParts): Promise<string | undefined> {
  return resolve(repository, referenceOf(repository, "newest"), parts);
}

async function resolve(repository: Repository, name: string, parts: GitParts): Promise<string | undefined> {
  const args = ["rev-parse", "--verify", "--quiet", "--end-of-options", `${name}^{commit}`];
  const environment = withoutRemote(repository.environment);
  const { status, output } = await runGit(repository, { ...parts, args, environment });
  const found = output.toString("utf8").trim();
  return status === 0 && isObjectName(found) ? found : undefined;
}

function referenceOf({ key }: Repository, which: "newest" | "known"): string {
  return `refs/garita/${key}/${which}`;
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
