import { styleText } from "node:util";
import type { Diagnostic, Severity } from "#policy-compiler/source/diagnostic";
import { renderDiagnostic } from "#policy-compiler/source/render";
import { renderCosts } from "./costs.ts";
import { type DiagnosticReport, pathFor, tally } from "./report.ts";

const colours: Record<Severity, "red" | "yellow" | "cyan"> = { error: "red", warning: "yellow", note: "cyan" };

/** For people: every diagnostic with its excerpt, a note on one line, then a line that counts, and what conditions cost. `colour` only for a terminal. */
export function renderText(report: DiagnosticReport, colour: boolean): string {
  const blocks = report.diagnostics.map((d) => {
    const placed = { ...d, file: pathFor(report, d.file) };
    const block = d.severity === "note" ? renderNote(placed) : renderDiagnostic(placed, report.textOf(d.file));
    if (!colour) return `${block}\n`;
    const mark = `${d.severity}[${d.code}]`;
    return `${block.replace(mark, styleText(["bold", colours[d.severity]], mark, { validateStream: false }))}\n`;
  });
  const { errors, warnings, notes } = tally(report.diagnostics);
  const counts = [count(errors, "error"), count(warnings, "warning"), count(notes, "note")].filter(
    (text) => text !== "",
  );
  const last = [report.summary ?? "the policies are not valid", ...counts].join(", ");
  // Notes stand together; whatever has an excerpt stands apart.
  const isNote = (i: number) => report.diagnostics[i]?.severity === "note";
  const body = blocks.map((block, i) => (i > 0 && !(isNote(i - 1) && isNote(i)) ? `\n${block}` : block)).join("");
  const costs = report.costs.map((each) => ({ ...each, file: pathFor(report, each.file) }));
  return `${body}${blocks.length > 0 ? "\n" : ""}${last}\n${renderCosts(costs, report.allCosts)}`;
}

function renderNote({ help, ...note }: Diagnostic): string {
  const { message } = note;
  return renderDiagnostic({ ...note, message: help === undefined ? message : `${message} (${help})` }, undefined);
}

function count(number: number, noun: string): string {
  return number === 0 ? "" : `${number} ${noun}${number === 1 ? "" : "s"}`;
}
