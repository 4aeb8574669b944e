import type { Log } from "#platform/log";
import type { Diagnostic } from "#policy-compiler/source/diagnostic";
import type { BuildFault, BuildResult } from "./build.ts";
import { diagnosticLines, newDiagnostics } from "./diagnostic-lines.ts";

/** What the log tells of attempts to load rules: each fault and each warning once, however often it is found again. */
export interface LoadLog {
  /** Why an attempt came to nothing. */
  refused(fault: BuildFault): void;
  /** What is in force; as a warning, with the first few, when `built` has warnings that were not there before. */
  inForce(fields: Readonly<Record<string, unknown>>, built: BuildResult & { kind: "built" }, message: string): void;
  /** Are there any that were not told? */
  hasNewWarnings(diagnostics: readonly Diagnostic[]): boolean;
}

/** How many errors, and how many warnings, one line tells. */
const toldErrors = 20;
const toldWarnings = 5;

export function createLoadLog(source: string, log: Log): LoadLog {
  let knownWarnings: readonly Diagnostic[] = [];
  return {
    refused({ code, message, revision, diagnostics }) {
      log.error({ source, code, ...revision, errors: diagnosticLines(diagnostics, "error", toldErrors) }, message);
    },
    inForce(fields, built, message) {
      const warnings = warningsOf(built.diagnostics);
      const told = { source, digest: built.digest, ...built.revision, ...fields, warnings: warnings.length };
      const fresh = newDiagnostics(warnings, knownWarnings);
      knownWarnings = warnings;
      if (fresh.length === 0) log.info(told, message);
      else log.warn({ ...told, newWarnings: diagnosticLines(fresh, "warning", toldWarnings) }, message);
    },
    hasNewWarnings: (diagnostics) => newDiagnostics(warningsOf(diagnostics), knownWarnings).length > 0,
  };
}

/** Is one fault the other, found again? */
export function isSameFault(a: BuildFault, b: BuildFault): boolean {
  return (
    a.code === b.code &&
    a.revision?.commit === b.revision?.commit &&
    a.message === b.message &&
    JSON.stringify(errorsOf(a.diagnostics)) === JSON.stringify(errorsOf(b.diagnostics))
  );
}

function errorsOf(diagnostics: readonly Diagnostic[]): readonly Diagnostic[] {
  return diagnostics.filter(({ severity }) => severity === "error");
}

function warningsOf(diagnostics: readonly Diagnostic[]): readonly Diagnostic[] {
  return diagnostics.filter(({ severity }) => severity === "warning");
}
