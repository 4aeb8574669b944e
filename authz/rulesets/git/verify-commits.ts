import { CodedError } from "#platform/coded-error";
import { cutOffAt, hasCommit } from "./fetch-commit.ts";
import { type GitParts, type Repository, readGit, runGit, unreadable } from "./repository.ts";
import type { SignatureSettings } from "./settings.ts";
import type { TrustedSigners } from "./trusted-signers.ts";

/** So many commits are looked at in one step; each costs a run of ssh-keygen or gpg. */
const mostCommits = 10_000;
/** A commit takes so long at most, on a slow machine. */
const perCommitMillis = 200;

/** git-log(1), `%G?`. */
const verdicts: Readonly<Record<string, string>> = {
  B: "has a bad signature",
  U: "is signed by a key that is not among the signers",
  X: "has a signature that has ended",
  Y: "is signed by a key that has ended",
  R: "is signed by a key that was withdrawn",
  E: "is signed by a key that is not among the signers",
  N: "is not signed",
};

/**
 * Are the commits signed by somebody who may? Looks at the newest, or at every commit that `known` does not have, before anything in them is read; of those none
 * may have its history cut off. Returns the newest's signer. Fails with `git/signature`, which names the commit.
 */
export async function verifyCommits(
  repository: Repository,
  { commit, known }: { readonly commit: string; readonly known: string | undefined },
  mode: SignatureSettings["mode"],
  { environment }: TrustedSigners,
  parts: GitParts,
): Promise<string> {
  const every = mode === "every" && known !== undefined && known !== commit;
  // After a rewritten history that is allowed, the commit in force may be nowhere any more: then all of it is new.
  const since = every && (await hasCommit(repository, known, parts)) ? [`^${known}`] : [];
  const range = every ? [commit, ...since] : ["-1", commit];
  const counted = every
    ? Number(await readGit(repository, { ...parts, args: ["rev-list", "--count", ...range, "--"] }))
    : 1;
  if (counted > mostCommits) {
    throw new CodedError("git/signature", `${counted} commits are new: the signatures of ${mostCommits} are looked at`);
  }
  const args = ["log", "--no-show-signature", "--no-mailmap", "--format=%H%x00%G?%x00%GS%x00%GF", ...range, "--"];
  const timeoutMillis = repository.timeoutMillis + counted * perCommitMillis;
  const call = { ...parts, args, environment, timeoutMillis };
  const ran = await runGit(repository, call);
  // git writes the commit to the program that verifies, and ends with the first one that this does not read: ssh-keygen reads none whose signature has no form.
  const isCutShort = ran.signal === "SIGPIPE";
  if (ran.status !== 0 && !isCutShort) throw unreadable(repository, call, ran);
  // Each row is written as a whole, with its end.
  const rows = ran.output
    .toString("utf8")
    .split("\n")
    .slice(0, -1)
    .map((line) => line.split("\0"));
  const cutOff = every ? await cutOffAt(repository) : new Set<string>();
  const newest = rows.find(([name]) => name === commit);
  for (const [name = "", verdict = "N"] of rows) {
    if (verdict !== "G")
      throw new CodedError("git/signature", `the commit ${name} ${verdicts[verdict] ?? verdicts["N"]}`);
    if (cutOff.has(name)) throw new CodedError("git/signature", `what comes before the commit ${name} was not sent`);
  }
  if (isCutShort) {
    const next = ["rev-list", `--skip=${rows.length}`, "--max-count=1", ...range.filter((word) => word !== "-1"), "--"];
    const name = (await readGit(repository, { ...parts, args: next })).toString("latin1").trim();
    throw new CodedError("git/signature", `the commit ${name} has a signature that cannot be read`);
  }
  if (newest === undefined) throw new CodedError("git/signature", `the commit ${commit} was not looked at`);
  const [, , name = "", fingerprint = ""] = newest;
  return `${name.replace(/[\p{Cc}\p{Cf}]/gu, "")} ${fingerprint}`.trim();
}
