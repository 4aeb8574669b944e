import type { FaultCode } from "#platform/fault-codes";
import type { BuildResult } from "../build.ts";

/** Others (want of memory, a thread that ended) say nothing of a commit. */
const ofContent: ReadonlySet<FaultCode> = new Set([
  "git/tests",
  "git/entry",
  "git/path",
  "git/absent",
  "source/too-large",
]);

const ofCommits: ReadonlySet<FaultCode> = new Set(["git/absent", "git/forced", "git/signature"]);

/** Is this of a commit, which was read, however often it is read again? */
export function isVerdict(result: BuildResult): boolean {
  return result.kind === "invalid" || (result.kind === "failed" && ofContent.has(result.code));
}

/** Is this a fault of a commit that was fetched, and keeps it from being read? */
export function isVerdictUnread(code: FaultCode): boolean {
  return ofCommits.has(code);
}
