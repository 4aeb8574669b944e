import { withoutRemote } from "#authz/rulesets/git/git-environment";
import { readCommit } from "#authz/rulesets/git/read-commit";
import { runGit } from "#authz/rulesets/git/repository";
import { systemTimers } from "#platform/timers";
import type { SourceFile } from "#policy-compiler/compile";
import { UsageFault } from "../usage-fault.ts";
import { findClone } from "./find-clone.ts";

/** A colon inside braces is part of the revision: `main@{2026-01-31 12:00}`, `HEAD^{/fix: x}`. */
const revisionForm = /^((?:\{[^}]*\}|[^:{])*)(?::(.*))?$/s;

const remedy = "`git fetch --unshallow`; `fetch-depth: 0` of actions/checkout, `GIT_DEPTH: 0` at GitLab";

/** The files of a policy folder as a commit has them. */
export interface ReadRevision {
  readonly commit: string;
  /** The other folder that the revision named; undefined: it was the one that was asked about. */
  readonly path: string | undefined;
  readonly files: readonly SourceFile[];
}

/**
 * Reads a policy folder as it was at a revision of the repository in which it lies. A revision is whatever git understands as one (`HEAD~3`, a branch, a tag, a commit), alone or with
 * the path of another folder behind a colon, from the top of the repository: `main:policies`. Fails with `UsageFault` for a revision that is none, else like `readCommit`.
 */
export async function readRevision(
  folder: string,
  revision: string,
  outside: Readonly<Record<string, string | undefined>>,
): Promise<ReadRevision> {
  const { repository, prefix } = await findClone(folder, outside, systemTimers);
  const [, named = "", path] = revisionForm.exec(revision) ?? [];
  if (/\p{Cc}/u.test(revision)) throw new UsageFault("a revision has no control characters");
  if (named === "") throw new UsageFault(`\`${revision}\` names no revision`);
  const commit = await findCommit(named);
  const subfolder = (path ?? prefix).replace(/^\.?\/|\/$/g, "");
  // git would start from a folder of its own.
  if (/^\.{1,2}(?:\/|$)/.test(subfolder))
    throw new UsageFault(`expected a folder from the top of the repository, found \`${subfolder}\``);
  return {
    commit,
    path,
    files: await readCommit({ ...repository, path: subfolder }, commit, { timers: systemTimers }),
  };

  async function findCommit(name: string): Promise<string> {
    // By standard input, where nothing is taken for an option.
    const call = { args: ["cat-file", "--batch-check"], timers: systemTimers, input: `${name}^{commit}\n` };
    const environment = withoutRemote(repository.environment);
    const { output, told } = await runGit(repository, { ...call, environment });
    const answer = output.toString("utf8");
    const found = /^([0-9a-f]+) commit \d+\n$/.exec(answer)?.[1];
    if (found !== undefined) return found;
    const isAmbiguous = / ambiguous\n$/.test(answer);
    const what = isAmbiguous ? "more than one commit" : "no commit";
    const why = told === "" ? "" : `: ${told}`;
    const cut = !isAmbiguous && (await isShallow()) ? `, which is a shallow clone (${remedy})` : "";
    throw new UsageFault(`\`${name}\` names ${what} of the repository of \`${folder}\`${cut}${why}`);
  }

  /** Pipelines clone without the history, and what they ask for is there for everybody else. */
  async function isShallow(): Promise<boolean> {
    const { output } = await runGit(repository, {
      args: ["rev-parse", "--is-shallow-repository"],
      timers: systemTimers,
      environment: withoutRemote(repository.environment),
    });
    return output.toString("utf8") === "true\n";
  }
}
