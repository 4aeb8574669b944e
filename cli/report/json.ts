import { type DiagnosticReport, pathFor, tally } from "./report.ts";

/** One JSON object; the fields of a diagnostic are those of the compiler, with `file` relative to the working directory. */
export function renderJson(report: DiagnosticReport): string {
  const diagnostics = report.diagnostics.map((d) => ({ ...d, file: pathFor(report, d.file) }));
  return `${JSON.stringify({ valid: report.summary !== undefined, ...tally(report.diagnostics), diagnostics }, undefined, 2)}\n`;
}
