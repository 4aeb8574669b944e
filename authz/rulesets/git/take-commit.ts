import { CodedError } from "#platform/coded-error";
import { describeCommit } from "./describe-commit.ts";
import { type FetchParts, fetchCommit, fetchHistory, isAncestor } from "./fetch-commit.ts";
import type { Repository } from "./repository.ts";
import type { Revision, SignatureSettings } from "./settings.ts";
import type { TrustedSigners } from "./trusted-signers.ts";
import { verifyCommits } from "./verify-commits.ts";

export interface TakeRules {
  readonly allowForced: boolean;
  /** Undefined: signatures are not looked at. */
  readonly signatures: { readonly mode: SignatureSettings["mode"]; readonly signers: TrustedSigners } | undefined;
  /** Hears which commit is looked at. */
  readonly onFetched: (commit: string) => void;
}

/**
 * Fetches the newest commit, and tells whether it may be read: it comes from the one that was taken before, and who signed it may. ORDER: nothing of a commit is
 * read before. Fails like `fetchCommit`, with `git/forced` or with `git/signature`.
 */
export async function takeCommit(repository: Repository, parts: FetchParts, rules: TakeRules): Promise<Revision> {
  const { known } = parts;
  const commit = await fetchCommit(repository, parts);
  rules.onFetched(commit);
  // A cut-off history hides commits that nobody has signed, and shows others, that `known` has too, as new.
  if (rules.signatures?.mode === "every" && known !== undefined && known !== commit) {
    await fetchHistory(repository, parts);
  }
  let follows = known === undefined || known === commit || (await isAncestor(repository, known, commit, parts));
  if (!follows) {
    await fetchHistory(repository, parts);
    follows = await isAncestor(repository, known!, commit, parts);
  }
  if (!follows && !rules.allowForced) {
    throw new CodedError("git/forced", `the history was rewritten: ${commit} does not come from ${known}`);
  }
  const signer =
    rules.signatures &&
    (await verifyCommits(repository, { commit, known }, rules.signatures.mode, rules.signatures.signers, parts));
  return { ...(await describeCommit(repository, commit, parts)), signer };
}
