import { styleText } from "node:util";
import type { Severity } from "#policy-compiler/source/diagnostic";
import { renderDiagnostic } from "#policy-compiler/source/render";
import { type DiagnosticReport, pathFor, tally } from "./report.ts";

const colours: Record<Severity, "red" | "yellow" | "cyan"> = { error: "red", warning: "yellow", note: "cyan" };

/** For people: every diagnostic with its excerpt, then a line that counts. `colour` only for a terminal. */
export function renderText(report: DiagnosticReport, colour: boolean): string {
  const blocks = report.diagnostics.map((d) => {
    const block = renderDiagnostic({ ...d, file: pathFor(report, d.file) }, report.textOf(d.file));
    if (!colour) return `${block}\n`;
    const mark = `${d.severity}[${d.code}]`;
    return `${block.replace(mark, styleText(["bold", colours[d.severity]], mark, { validateStream: false }))}\n`;
  });
  const { errors, warnings, notes } = tally(report.diagnostics);
  const counts = [count(errors, "error"), count(warnings, "warning"), count(notes, "note")].filter(
    (text) => text !== "",
  );
  const last = [report.summary ?? "the policies are not valid", ...counts].join(", ");
  return `${blocks.join("\n")}${blocks.length > 0 ? "\n" : ""}${last}\n`;
}

function count(number: number, noun: string): string {
  return number === 0 ? "" : `${number} ${noun}${number === 1 ? "" : "s"}`;
}
