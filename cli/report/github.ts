import type { Severity } from "#policy-compiler/source/diagnostic";
import { type DiagnosticReport, pathFor } from "./report.ts";

const commands: Record<Severity, string> = { error: "error", warning: "warning", note: "notice" };

/** Workflow commands of GitHub Actions: each diagnostic becomes an annotation of its line. */
export function renderGithub(report: DiagnosticReport): string {
  return report.diagnostics
    .map((d) => {
      const place = {
        file: pathFor(report, d.file),
        line: d.start.line,
        col: d.start.column,
        endLine: d.end.line,
        // An annotation that spans lines must not name columns.
        ...(d.end.line === d.start.line ? { endColumn: d.end.column } : {}),
        title: d.code,
      };
      const properties = Object.entries(place).map(([key, value]) => `${key}=${escapeProperty(String(value))}`);
      const message = d.help === undefined ? d.message : `${d.message}\n${d.help}`;
      return `::${commands[d.severity]} ${properties.join(",")}::${escapeText(message)}\n`;
    })
    .join("");
}

function escapeText(text: string): string {
  return text.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");
}

function escapeProperty(text: string): string {
  return escapeText(text).replaceAll(":", "%3A").replaceAll(",", "%2C");
}
