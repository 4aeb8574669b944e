import type { BuildResult, TestRun } from "../build.ts";
import type { GitSettings, Revision } from "./settings.ts";

/** So many failed tests are told one by one. */
const toldTests = 5;

export interface Judged {
  readonly result: BuildResult;
  /** Of tests that keep nothing from coming into force, one line each. */
  readonly warnings: readonly string[];
}

/** What the policy tests of a commit say of it: with `refuse` those that fail, or could not be run, keep it from coming into force. */
export function judgeTests(
  built: BuildResult & { readonly kind: "built" },
  revision: Revision,
  wanted: GitSettings["tests"],
): Judged {
  const { tests, failures, defect }: TestRun = built.tests ?? { tests: 0, failures: [] };
  const [first] = failures;
  if (wanted === "refuse") {
    const refuse = (code: "source/compiler" | "git/tests", message: string): Judged => ({
      result: { kind: "failed", code, message, revision },
      warnings: [],
    });
    if (defect !== undefined) return refuse("source/compiler", defect);
    const more = failures.length > 1 ? ` (and ${failures.length - 1} more)` : "";
    if (first !== undefined)
      return refuse("git/tests", `${failures.length} of ${tests} policy tests fail: ${first}${more}`);
  }
  const failed = failures.slice(0, toldTests).map((line) => `policy test: ${line}`);
  return { result: { ...built, revision }, warnings: defect === undefined ? failed : [defect, ...failed] };
}
