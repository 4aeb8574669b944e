import { CodedError } from "#platform/coded-error";
import { isOpenpgpSignature } from "./is-openpgp-signature.ts";
import { type GitParts, placeText, type Repository, readGit } from "./repository.ts";

/** Those of people have some hundred bytes, merges of many signed tags some hundred thousand. PERF: ssh-keygen takes minutes for a signature of 100 MB. */
const mostCommitBytes = 1024 * 1024;
const mostBytes = 64 * 1024 * 1024;
/** What `cat-file` says of an object, beside its bytes. */
const rowBytes = 128;

/** gitdatamodel(7). What comes afterwards is read by name. */
const beginning = /^tree [0-9a-f]+\n(?:parent [0-9a-f]+\n)*author [^\n]*\ncommitter [^\n]*\n/;
/** gitformat-signature(5): of objects named by SHA-1, and by SHA-256. */
const signatures: Readonly<Record<number, string>> = { 40: "\ngpgsig ", 64: "\ngpgsig-sha256 " };
/** At what is none of those that are verified git ends, without a word on the commits that follow. */
const sshSignature = /^-----BEGIN SSH SIGNATURE-----/;

/**
 * Refuses commits whose signature could be good and not speak of what git reads: it is verified without the lines whose name begins with `gpgsig`, wherever they stand,
 * and one of them among the parents hides those that follow. And those that the verifying programs should not be given. Nothing is verified here. Cost: two runs of
 * git. Fails with `git/signature`, which names the commit, or `git/mirror`.
 */
export async function checkForm(repository: Repository, commits: readonly string[], parts: GitParts): Promise<void> {
  const input = commits.map((commit) => `${commit}\n`).join("");
  const maxOutputBytes = mostBytes + rowBytes * commits.length;
  const ask = (args: readonly string[]) => readGit(repository, { ...parts, args, input, maxOutputBytes });
  const rows = (await ask(["cat-file", "--batch-check"])).toString("latin1").split("\n");
  const sizes = commits.map((commit, i) => sizeOf(repository, commit, rows[i]));
  const odd = (commit: string | undefined, what: string) =>
    new CodedError("git/signature", `the commit ${commit} ${what}`);
  const large = sizes.findIndex((size) => size > mostCommitBytes);
  if (large !== -1) throw odd(commits[large], `has more than ${mostCommitBytes} bytes`);
  if (sizes.reduce((sum, size) => sum + size, 0) > mostBytes) {
    throw new CodedError(
      "git/signature",
      `${commits.length} commits are new: together they have more than ${mostBytes} bytes`,
    );
  }
  const output = await ask(["cat-file", "--batch"]);
  let at = 0;
  for (const [i, commit] of commits.entries()) {
    const start = output.indexOf(0x0a, at) + 1;
    at = start + sizes[i]! + 1;
    const text = output.toString("latin1", start, at - 1);
    if (!beginning.test(text)) throw odd(commit, "does not begin as git's do");
    if (!isVerifiable(text, commit.length)) throw odd(commit, "has a signature that cannot be read");
  }
}

/** git-cat-file(1), BATCH OUTPUT. */
function sizeOf(repository: Repository, commit: string, row = ""): number {
  const [name, type, size] = row.split(" ");
  if (name === commit && type === "commit") return Number(size);
  throw new CodedError("git/mirror", `${placeText(repository)} does not have the commit ${commit}`);
}

/** So is one that has no signature: that is not for here to say. */
function isVerifiable(text: string, digits: number): boolean {
  const [headers = ""] = text.split("\n\n", 1);
  const [, signature, second] = headers.split(signatures[digits]!);
  if (signature === undefined) return true;
  const lines = /^[^\n]*(?:\n [^\n]*)*/.exec(signature)![0].replaceAll("\n ", "\n");
  return second === undefined && (sshSignature.test(lines) || isOpenpgpSignature(lines));
}
