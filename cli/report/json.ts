import { costBound } from "./costs.ts";
import { type DiagnosticReport, pathFor, tally } from "./report.ts";

/**
 * One JSON object; the fields of a diagnostic are those of the compiler, with `file` relative to the working directory. `expressions`:
 * every expression with its cost at worst.
 */
export function renderJson(report: DiagnosticReport): string {
  const diagnostics = report.diagnostics.map((d) => ({ ...d, file: pathFor(report, d.file) }));
  const expressions = report.costs.map((each) => ({ ...each, file: pathFor(report, each.file), bound: costBound }));
  const valid = report.summary !== undefined;
  return `${JSON.stringify({ valid, ...tally(report.diagnostics), diagnostics, expressions }, undefined, 2)}\n`;
}
