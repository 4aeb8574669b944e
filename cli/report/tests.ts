import junit from "junit-report-builder";
import { printable } from "#policy-compiler/source/render";
import type { TestResult } from "../policies/run-tests.ts";
import { annotation } from "./github.ts";
import { xmlText } from "./xml-text.ts";

export const testFormats = ["text", "json", "junit", "github"] as const;
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
    case "github":
      return failures(results)
        .map(({ file, line, faults, ...pair }) =>
          annotation(
            "error",
            { file, ...(line === undefined ? {} : { line }), title: nameOf(pair) },
            faults.join("\n"),
          ),
        )
        .join("");
  }
}

function failures(results: readonly TestResult[]): readonly TestResult[] {
  return results.filter(({ faults }) => faults.length > 0);
}

function count(results: readonly TestResult[]): { readonly passed: number; readonly failed: number } {
  const failed = failures(results).length;
  return { passed: results.length - failed, failed };
}

function text(results: readonly TestResult[]): string {
  const told = failures(results).map((result) => {
    const place =
      result.line === undefined ? `${result.file} (not listed: must be denied)` : `${result.file}:${result.line}`;
    const lines = [`FAIL ${place}: ${nameOf(result)}`, ...result.faults.map((fault) => `     ${fault}`)];
    return lines.map((line) => `${printable(line)}\n`).join("");
  });
  const { passed, failed } = count(results);
  return `${told.join("")}${passed} passed, ${failed} failed\n`;
}

function xml(results: readonly TestResult[]): string {
  const report = builder.newBuilder();
  for (const file of new Set(results.map((result) => result.file))) {
    const path = xmlText(file);
    const suite = report.testSuite().name(path);
    for (const result of results.filter((each) => each.file === file)) {
      const entry = suite
        .testCase()
        .className(path)
        .name(xmlText(nameOf(result)))
        .file(path);
      if (result.faults.length > 0) entry.failure(xmlText(result.faults.join("\n")), "decision");
    }
  }
  return `${report.build()}\n`;
}

function nameOf({ caller, request }: Pick<TestResult, "caller" | "request">): string {
  return `${caller} x ${request}`;
}
