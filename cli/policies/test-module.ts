import { prepareEngine } from "#authz/rulesets/prepare-at-once";
import type { TestRunner } from "#authz/rulesets/run-tests";
import { systemClock } from "#platform/clock";
import { printable } from "#policy-compiler/source/render";
import { readTests, renderFault } from "./read-tests.ts";
import { runTestFile } from "./run-tests.ts";

/** `garita test` for a service: runs in the thread that compiles, at the time of the run. */
export const runTests: TestRunner = async ({ bytes, digest }, sources) => {
  const { files, faults } = readTests("", sources);
  const engine = prepareEngine(bytes, digest);
  const startedMillis = systemClock.nowMillis();
  const results = (
    await Promise.all(files.map((file) => runTestFile(file, engine, startedMillis, (path) => path)))
  ).flat();
  const failed = results.filter(({ faults: found }) => found.length > 0);
  const failures = failed.map(
    ({ file, line, caller, request, faults: found }) =>
      `${file}:${line ?? 1}: \`${caller}\` with \`${request}\`: ${found.join("; ")}`,
  );
  return { tests: results.length, failures: [...faults.map(renderFault), ...failures].map(printable) };
};
