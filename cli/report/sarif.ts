import { isAbsolute } from "node:path";
import { pathToFileURL } from "node:url";
import { SarifBuilder, SarifResultBuilder, SarifRuleBuilder, SarifRunBuilder } from "node-sarif-builder";
import { type DiagnosticCode, diagnosticCodes } from "#policy-compiler/source/codes";
import type { Severity } from "#policy-compiler/source/diagnostic";
import { type DiagnosticReport, pathFor } from "./report.ts";

const levels: Record<Severity, "error" | "warning" | "note"> = { error: "error", warning: "warning", note: "note" };

/** SARIF 2.1.0, for code scanning. Every code that occurs is a rule of the run. */
export function renderSarif(report: DiagnosticReport, version: string): string {
  const run = new SarifRunBuilder().initSimple({
    toolDriverName: "garita",
    toolDriverVersion: version,
    url: "https://www.npmjs.com/package/garita",
  });
  for (const code of new Set(report.diagnostics.map((d) => d.code))) {
    const rule = new SarifRuleBuilder().initSimple({
      ruleId: code,
      shortDescriptionText: diagnosticCodes[code].summary,
    });
    run.addRule(rule);
  }
  for (const d of report.diagnostics) {
    run.addResult(
      new SarifResultBuilder().initSimple({
        level: levels[d.severity],
        messageText: d.help === undefined ? d.message : `${d.message} (${d.help})`,
        ruleId: d.code satisfies DiagnosticCode,
        fileUri: uriOf(pathFor(report, d.file)),
        startLine: d.start.line,
        startColumn: d.start.column,
        endLine: d.end.line,
        endColumn: d.end.column,
      }),
    );
  }
  // Columns count UTF-16 units; unless it is said they are taken for characters.
  run.run.columnKind = "utf16CodeUnits";
  const sarif = new SarifBuilder();
  sarif.addRun(run);
  return `${sarif.buildSarifJsonString({ indent: true })}\n`;
}

/** SARIF §3.4.3: a URI; relative to the working directory unless the path is absolute. */
function uriOf(path: string): string {
  return isAbsolute(path) ? pathToFileURL(path).href : path.split("/").map(encodeURIComponent).join("/");
}
