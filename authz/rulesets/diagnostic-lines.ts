import type { Diagnostic, Severity } from "#policy-compiler/source/diagnostic";

/** Diagnostics of one severity, one line each, for logs and the status page; beyond `most` lines one says how many more there are. */
export function diagnosticLines(diagnostics: readonly Diagnostic[], severity: Severity, most: number): string[] {
  const told = diagnostics.filter((diagnostic) => diagnostic.severity === severity);
  const lines = told
    .slice(0, most)
    .map(({ file, start, code, message }) => `${file}:${start.line}:${start.column}: ${message} [${code}]`);
  return told.length > most ? [...lines, `${told.length - most} more`] : lines;
}

/** The first `most` of each severity, in their order. */
export function cutDiagnostics(diagnostics: readonly Diagnostic[], most: number): readonly Diagnostic[] {
  const counts = new Map<Severity, number>();
  return diagnostics.filter(({ severity }) => {
    const count = (counts.get(severity) ?? 0) + 1;
    counts.set(severity, count);
    return count <= most;
  });
}

/** Those that `known` does not have, wherever in their file they stand now. */
export function newDiagnostics(
  diagnostics: readonly Diagnostic[],
  known: readonly Diagnostic[],
): readonly Diagnostic[] {
  const keys = new Set(known.map(keyOf));
  return diagnostics.filter((diagnostic) => !keys.has(keyOf(diagnostic)));
}

function keyOf({ file, code, message }: Diagnostic): string {
  return JSON.stringify([file, code, message]);
}
