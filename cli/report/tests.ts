import junit from "junit-report-builder";
import type { TestResult } from "../policies/run-tests.ts";

export const testFormats = ["text", "json", "junit"] as const;
export type TestFormat = (typeof testFormats)[number];

// The package is CommonJS whose whole `module.exports` is the builder; its types describe a default export inside it.
const builder = junit as unknown as typeof junit.default;

/** Renders the results of policy tests. */
export function renderTests(results: readonly TestResult[], format: TestFormat): string {
  switch (format) {
    case "text":
      return text(results);
    case "json":
      return `${JSON.stringify({ ...count(results), results }, undefined, 2)}\n`;
    case "junit":
      return xml(results);
  }
}

function count(results: readonly TestResult[]): { readonly passed: number; readonly failed: number } {
  const failed = results.filter(({ faults }) => faults.length > 0).length;
  return { passed: results.length - failed, failed };
}

function text(results: readonly TestResult[]): string {
  const failures = results
    .filter(({ faults }) => faults.length > 0)
    .map((result) => {
      const place =
        result.line === undefined ? `${result.file} (not listed: must be denied)` : `${result.file}:${result.line}`;
      return `FAIL ${place}: ${nameOf(result)}\n${result.faults.map((fault) => `     ${fault}\n`).join("")}`;
    });
  const { passed, failed } = count(results);
  return `${failures.join("")}${passed} passed, ${failed} failed\n`;
}

function xml(results: readonly TestResult[]): string {
  const report = builder.newBuilder();
  for (const file of new Set(results.map((result) => result.file))) {
    const suite = report.testSuite().name(file);
    for (const result of results.filter((each) => each.file === file)) {
      const entry = suite.testCase().className(file).name(nameOf(result)).file(file);
      if (result.faults.length > 0) entry.failure(result.faults.join("\n"), "decision");
    }
  }
  return `${report.build()}\n`;
}

function nameOf({ caller, request }: TestResult): string {
  return `${caller} x ${request}`;
}
