import type { Severity } from "#policy-compiler/source/diagnostic";
import { type DiagnosticReport, pathFor } from "./report.ts";

const commands: Record<Severity, "error" | "warning" | "notice"> = {
  error: "error",
  warning: "warning",
  note: "notice",
};

/** Workflow commands of GitHub Actions: each diagnostic becomes an annotation of its line. */
export function renderGithub(report: DiagnosticReport): string {
  return report.diagnostics
    .map((d) => {
      const place = {
        file: pathFor(report, d.file),
        line: d.start.line,
        // An annotation that spans lines must not name columns.
        ...(d.end.line === d.start.line ? { col: d.start.column } : {}),
        endLine: d.end.line,
        ...(d.end.line === d.start.line ? { endColumn: d.end.column } : {}),
        title: d.code,
      };
      return annotation(commands[d.severity], place, d.help === undefined ? d.message : `${d.message}\n${d.help}`);
    })
    .join("");
}

/** One workflow command: a line, whatever the texts hold. */
export function annotation(
  command: "error" | "warning" | "notice",
  place: Readonly<Record<string, string | number>>,
  message: string,
): string {
  const properties = Object.entries(place).map(([key, value]) => `${key}=${escapeProperty(String(value))}`);
  return `::${command} ${properties.join(",")}::${escapeText(message)}\n`;
}

function escapeText(text: string): string {
  return text.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");
}

function escapeProperty(text: string): string {
  return escapeText(text).replaceAll(":", "%3A").replaceAll(",", "%2C");
}
