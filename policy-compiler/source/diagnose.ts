import { diagnosticCodes } from "./codes.ts";
import type { Diagnostic, Finding } from "./diagnostic.ts";
import type { LineTables } from "./locate.ts";

/** Makes diagnostics of findings: severity from the table of codes, places in lines; sorted by file, place, code, message. */
export function diagnose(findings: readonly Finding[], lines: LineTables): readonly Diagnostic[] {
  return findings.toSorted(compareFindings).map((finding) => {
    const { code, message, file, span, help } = finding;
    const diagnostic: Diagnostic = {
      code,
      severity: diagnosticCodes[code].severity,
      message,
      file,
      start: lines.locate(file, span.start),
      end: lines.locate(file, span.end),
    };
    return help === undefined ? diagnostic : { ...diagnostic, help };
  });
}

/** Does one of the findings stop the rule set? */
export function hasError(findings: readonly Finding[]): boolean {
  return findings.some((finding) => diagnosticCodes[finding.code].severity === "error");
}

function compareFindings(left: Finding, right: Finding): number {
  return (
    compareText(left.file, right.file) ||
    left.span.start - right.span.start ||
    left.span.end - right.span.end ||
    compareText(left.code, right.code) ||
    compareText(left.message, right.message)
  );
}

/** By UTF-16 units, the same on every machine. */
export function compareText(left: string, right: string): number {
  if (left === right) return 0;
  return left < right ? -1 : 1;
}
