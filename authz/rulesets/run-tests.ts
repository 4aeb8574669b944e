import { messageOf } from "#platform/coded-error";
import type { SourceFile } from "#policy-compiler/compile";
import type { BuildResult, TestRun } from "./build.ts";

/** Runs the policy tests among the files against compiled rules. What is wrong with a test is its failure. */
export type TestRunner = (
  rules: { readonly bytes: Uint8Array; readonly digest: string },
  files: readonly SourceFile[],
) => Promise<TestRun>;

/**
 * `built` with what came of its tests. The runner is known by the URL of its module alone: tests are described with the words of the command line, which
 * nothing here may import. Never rejects.
 */
export async function withTests(
  built: BuildResult,
  files: readonly SourceFile[],
  testModule: string | undefined,
): Promise<BuildResult> {
  if (built.kind !== "built" || testModule === undefined) return built;
  try {
    const { runTests } = (await import(testModule)) as { readonly runTests: TestRunner };
    const tests = await runTests(built, files);
    // It says that they were not run.
    const diagnostics = built.diagnostics.filter(({ code }) => code !== "folder/policy-test");
    return { ...built, diagnostics, tests };
  } catch (defect) {
    return { ...built, tests: { tests: 0, failures: [], defect: `the tests could not be run: ${messageOf(defect)}` } };
  }
}
