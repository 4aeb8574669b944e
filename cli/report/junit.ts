import junit from "junit-report-builder";
import { type DiagnosticReport, pathFor } from "./report.ts";
import { xmlText } from "./xml-text.ts";

// The package is CommonJS whose whole `module.exports` is the builder; its types describe a default export inside it.
const builder = junit as unknown as typeof junit.default;

/** JUnit XML: a suite per file with a failed case per error; warnings and notes are passed cases that print their message. */
export function renderJunit(report: DiagnosticReport): string {
  const xml = builder.newBuilder();
  const files = new Set(report.diagnostics.map((d) => d.file));
  for (const file of files) {
    const path = xmlText(pathFor(report, file));
    const suite = xml.testSuite().name(path);
    for (const d of report.diagnostics.filter((each) => each.file === file)) {
      const text = xmlText(d.help === undefined ? d.message : `${d.message}\n${d.help}`);
      const name = `${path}:${d.start.line}:${d.start.column} ${xmlText(d.message)}`;
      const entry = suite.testCase().className(d.code).name(name).file(path);
      if (d.severity === "error") entry.failure(text, d.code);
      else entry.standardOutput(`${d.severity}: ${text}`);
    }
  }
  if (files.size === 0)
    xml.testSuite().name(xmlText(report.folder)).testCase().className("garita").name("policies are valid");
  return `${xml.build()}\n`;
}
