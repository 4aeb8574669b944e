import { CodedError } from "#platform/coded-error";
import { describeCommit } from "./describe-commit.ts";
import { findCommit, isAncestor, newestReference } from "./fetch-commit.ts";
import type { GitParts, Repository } from "./repository.ts";
import type { Revision } from "./settings.ts";
import type { TrustedSigners } from "./trusted-signers.ts";
import { verifyCommits } from "./verify-commits.ts";

export interface PinnedParts {
  /** A commit's name, or its first seven digits or more. */
  readonly wanted: string;
  /** The newest commit that was taken. */
  readonly known: string | undefined;
  readonly git: GitParts;
  /** Undefined: signatures are not looked at. */
  readonly signers: TrustedSigners | undefined;
  /** Brings the newest commit and its whole history into the mirror. Called when the mirror has no such commit: a pin is possible without Git. */
  readonly bring: () => Promise<void>;
}

/**
 * A commit of the history of the newest, or of the one that was taken before, whose own signature is good where one is demanded. Nothing of it is read. Fails with `git/pin`
 * when there is no such commit, with `git/signature`, or as `bring` does.
 */
export async function takePinned(repository: Repository, parts: PinnedParts): Promise<Revision> {
  const { wanted, git, signers, bring } = parts;
  let commit = await findInHistory(repository, parts);
  if (commit === undefined) {
    await bring();
    commit = await findInHistory(repository, parts);
  }
  if (commit === undefined) {
    throw new CodedError("git/pin", `the history of \`${repository.reference}\` has no single commit \`${wanted}\``);
  }
  const signer = signers && (await verifyCommits(repository, { commit, known: undefined }, "head", signers, git));
  return { ...(await describeCommit(repository, commit, git)), signer };
}

async function findInHistory(repository: Repository, { wanted, known, git }: PinnedParts): Promise<string | undefined> {
  const commit = await findCommit(repository, wanted, git);
  if (commit === undefined) return undefined;
  for (const newer of [newestReference(repository), known]) {
    if (newer !== undefined && (await isAncestor(repository, commit, newer, git))) return commit;
  }
  return undefined;
}
