import { realpath } from "node:fs/promises";
import { dirname } from "node:path";
import { type GitEnvironment, gitEnvironment } from "#authz/rulesets/git/git-environment";
import type { Repository } from "#authz/rulesets/git/repository";
import { runProgram } from "#authz/rulesets/git/run-program";
import type { Timers } from "#platform/timers";
import { UsageFault } from "../usage-fault.ts";

/** A repository on this machine, of which commits are read; nothing is fetched and nothing of it is run. */
export interface Clone {
  readonly repository: Repository;
  /** The folder's path from the top of the repository; empty at the top, and in a bare one. */
  readonly prefix: string;
}

type Outside = Readonly<Record<string, string | undefined>>;

const timeoutMillis = 60_000;

/** What git needs to find a repository and to see that its owner is trusted (`safe.directory`). Variables of hooks (`GIT_DIR`, `GIT_INDEX_FILE`) stay outside. */
const discovery = /^(?:PATH|HOME|XDG_CONFIG_HOME|GIT_CONFIG_(?:GLOBAL|COUNT|(?:KEY|VALUE)_\d+))$/;

/** The repository in which a folder lies, or that it is. Fails with `UsageFault` where there is none, or with `git/missing` without a git. */
export async function findClone(folder: string, outside: Outside, timers: Timers): Promise<Clone> {
  const cwd = await realpath(folder).catch((cause) => {
    throw new UsageFault(`the folder \`${folder}\` cannot be opened`, { cause });
  });
  // git answers line by line.
  if (/\p{Cc}/u.test(cwd)) throw new UsageFault("git cannot be asked about a folder whose path has control characters");
  const environment = { ...taken(outside, (name) => discovery.test(name)), LC_ALL: "C" };
  // ORDER: git answers in the order of the questions.
  const questions = ["--absolute-git-dir", "--is-inside-git-dir", "--is-inside-work-tree", "--show-prefix"];
  const args = ["rev-parse", ...questions, "--path-format=absolute", "--git-path", "objects"];
  const run = { program: "git", args, environment, cwd, timers, timeoutMillis, maxOutputBytes: 64 * 1024 } as const;
  const { status, output, told } = await runProgram(run);
  if (status !== 0) throw new UsageFault(`\`${folder}\` is in no repository that git reads: ${told}`);
  const [gitFolder = "", inGitFolder, inWorkTree, prefix = "", objects = ""] = output.toString("utf8").split("\n");
  // `core.worktree` may name another place: where the folder stands in commits is not known then.
  if (inGitFolder !== "true" && inWorkTree !== "true")
    throw new UsageFault(`\`${folder}\` is outside the work tree of its repository`);
  const repository = localRepository(gitFolder, outside, await quarantineOf(objects, outside));
  return { repository, prefix: prefix.replace(/\/$/, "") };
}

/** git-receive-pack(1), QUARANTINE ENVIRONMENT: where a commit lies of which a `pre-receive` or `update` hook has to say whether it is taken. */
const quarantine: ReadonlySet<string> = new Set([
  "GIT_QUARANTINE_PATH",
  "GIT_OBJECT_DIRECTORY",
  "GIT_ALTERNATE_OBJECT_DIRECTORIES",
]);

/** Of this repository alone: another one's objects are elsewhere. `objects`: where its own are. */
async function quarantineOf(objects: string, outside: Outside): Promise<GitEnvironment> {
  const path = outside["GIT_QUARANTINE_PATH"];
  if (path === undefined) return {};
  const [own, inside] = await Promise.all([objects, path].map((folder) => realpath(folder).catch(() => folder)));
  return inside!.startsWith(`${own}/`) ? taken(outside, (name) => quarantine.has(name)) : {};
}

function taken(outside: Outside, isWanted: (name: string) => boolean): GitEnvironment {
  const set = Object.entries(outside).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return Object.fromEntries(set.filter(([name]) => isWanted(name)));
}

/** A repository that is its own remote: it is only read. */
function localRepository(gitFolder: string, outside: Outside, quarantined: GitEnvironment): Repository {
  const url = `file://${gitFolder}`;
  const remote = { url, transport: "file", origin: undefined, guarded: true } as const;
  const credentials = {
    tokenFile: undefined,
    username: "",
    sshKeyFile: undefined,
    knownHostsFile: undefined,
    caFile: undefined,
  };
  return {
    kind: "clone",
    url,
    folder: dirname(gitFolder),
    mirror: gitFolder,
    reference: "HEAD",
    path: "",
    key: "",
    environment: { ...gitEnvironment({ remote, credentials, mirror: gitFolder, outside }), ...quarantined },
    timeoutMillis,
  };
}
