import { CodedError } from "#platform/coded-error";
import { checkForm } from "./check-form.ts";
import { cutOffAt, hasCommit } from "./fetch-commit.ts";
import type { GitEnvironment } from "./git-environment.ts";
import { type GitParts, isObjectName, killed, type Repository, readGit, runGit } from "./repository.ts";
import type { SignatureSettings } from "./settings.ts";
import type { TrustedSigners } from "./trusted-signers.ts";

/** So many commits are looked at in one step; each costs a run of ssh-keygen or gpg. */
const mostCommits = 10_000;
/** Each commit takes so long at most, on a slow machine. */
const perCommitMillis = 200;
/** And all together so much longer, whatever the verifying programs find in what somebody has pushed. */
const mostMillis = 10_000;

/** git calls a signature bad, or a commit unsigned, also where what verifies was killed, or cannot be given the signature in a file. */
const killedText = /(\S+) died of signal 9\b/;
const unwrittenText = /could not create temporary file|failed writing detached signature/;

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
 * may have its history cut off. ORDER: the newest first: who may push, and has signed nothing, has no others looked at. Returns the newest's signer. Fails with
 * `git/signature`, which names the commit; with what says nothing of one: `git/too-slow`, `source/worker` or `git/mirror`.
 */
export async function verifyCommits(
  repository: Repository,
  { commit, known }: { readonly commit: string; readonly known: string | undefined },
  mode: SignatureSettings["mode"],
  { environment }: TrustedSigners,
  parts: GitParts,
): Promise<string> {
  const verify = async (commits: readonly string[]) => {
    await checkForm(repository, commits, parts);
    return verifySignatures(repository, commits, environment, parts);
  };
  const [[, , name = "", fingerprint = ""] = []] = await verify([commit]);
  if (mode === "every" && known !== undefined && known !== commit) {
    const commits = await listNew(repository, commit, known, parts);
    const others = commits.filter((other) => other !== commit);
    if (others.length > 0) await verify(others);
    const cutOff = await cutOffAt(repository);
    const cut = commits.find((other) => cutOff.has(other));
    if (cut !== undefined) throw new CodedError("git/signature", `what comes before the commit ${cut} was not sent`);
  }
  return `${name.replace(/[\p{Cc}\p{Cf}]/gu, "")} ${fingerprint}`.trim();
}

async function listNew(
  repository: Repository,
  commit: string,
  known: string,
  parts: GitParts,
): Promise<readonly string[]> {
  // After a rewritten history that is allowed, the commit in force may be nowhere any more: then all of it is new.
  const range = [commit, ...((await hasCommit(repository, known, parts)) ? [`^${known}`] : []), "--"];
  const list = async (option: string) =>
    (await readGit(repository, { ...parts, args: ["rev-list", option, ...range] })).toString("latin1");
  const counted = Number(await list("--count"));
  if (counted > mostCommits) {
    throw new CodedError("git/signature", `${counted} commits are new: the signatures of ${mostCommits} are looked at`);
  }
  return (await list(`--max-count=${mostCommits}`)).split("\n").filter(isObjectName);
}

/** One row for each commit, in their order. */
async function verifySignatures(
  repository: Repository,
  commits: readonly string[],
  environment: GitEnvironment,
  parts: GitParts,
): Promise<readonly (readonly string[])[]> {
  const options = ["--no-walk=unsorted", "--no-show-signature", "--no-mailmap", "--stdin"];
  const timeoutMillis = Math.min(repository.timeoutMillis, mostMillis) + commits.length * perCommitMillis;
  const { status, output, told } = await runGit(repository, {
    ...parts,
    args: ["log", ...options, "--format=%H%x00%G?%x00%GS%x00%GF"],
    input: commits.map((commit) => `${commit}\n`).join(""),
    environment,
    timeoutMillis,
  }).catch((fault: unknown) => {
    if (!(fault instanceof CodedError) || fault.code !== "git/too-slow" || parts.signal?.aborted) throw fault;
    const [only, more] = commits;
    const what =
      more === undefined ? `the signature of the commit ${only}` : `the signatures of ${commits.length} commits`;
    throw new CodedError("git/too-slow", `${what} cannot be verified in ${timeoutMillis / 1000} s`);
  });
  // Each row is written as a whole, with its end.
  const rows = output
    .toString("utf8")
    .split("\n")
    .slice(0, -1)
    .map((line) => line.split("\0"));
  for (const [name = "", verdict = "N"] of rows) {
    if (verdict === "G") continue;
    const program = killedText.exec(told)?.[1];
    if (program !== undefined) throw killed(program);
    if (unwrittenText.test(told)) throw new CodedError("git/mirror", `a signature cannot be verified: ${told}`);
    throw new CodedError("git/signature", `the commit ${name} ${verdicts[verdict] ?? verdicts["N"]}`);
  }
  if (status === 0 && rows.length === commits.length) return rows;
  // The commits themselves could be read a moment ago: it is the signature that git did not get over.
  throw new CodedError("git/signature", `the commit ${commits[rows.length]} has a signature that cannot be read`);
}
