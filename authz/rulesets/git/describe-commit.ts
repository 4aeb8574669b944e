import { CodedError } from "#platform/coded-error";
import { type GitParts, type Repository, readGit } from "./repository.ts";
import type { Revision } from "./settings.ts";

const textCharacters = 200;

/** A commit's subject and author, cut, without control characters; neither of one that has megabytes of them. Fails with `git/mirror`. */
export async function describeCommit(
  repository: Repository,
  commit: string,
  parts: GitParts,
): Promise<Omit<Revision, "signer">> {
  const args = [
    "log",
    "-1",
    "--no-show-signature",
    "--no-mailmap",
    "--encoding=UTF-8",
    "--format=%s%x00%an",
    commit,
    "--",
  ];
  const output = await readGit(repository, { ...parts, args }).catch((fault: unknown) => {
    if (fault instanceof CodedError && fault.code === "source/too-large") return undefined;
    throw fault;
  });
  if (output === undefined) return { commit };
  const [subject = "", author = ""] = output.toString("utf8").split("\0");
  return { commit, subject: oneLine(subject), author: oneLine(author) };
}

function oneLine(text: string): string {
  const plain = text.replace(/[\p{Cc}\p{Cf}\s]+/gu, " ").trim();
  return plain.length <= textCharacters ? plain : `${plain.slice(0, textCharacters)}…`;
}
