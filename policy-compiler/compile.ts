import { decodeDocuments } from "./document/decode-documents.ts";
import type { RuleSet } from "./ruleset/model.ts";
import { diagnose } from "./source/diagnose.ts";
import type { Diagnostic } from "./source/diagnostic.ts";
import { LineTables } from "./source/locate.ts";
import type { CompileOptions, SourceFile } from "./source/source-file.ts";

export { type CodeRow, diagnosticCodes } from "./source/codes.ts";
export type { CompileOptions, SourceFile } from "./source/source-file.ts";

/** `ruleSet` is undefined when a diagnostic is an error. Diagnostics are sorted by file, then place. */
export interface Compilation {
  readonly ruleSet: RuleSet | undefined;
  readonly diagnostics: readonly Diagnostic[];
}

/** Compiles the files of a policy folder. Never throws; the same input gives the same result. */
export function compile(files: readonly SourceFile[], options: CompileOptions = {}): Compilation {
  const decoded = decodeDocuments(files, options);
  const lines = new LineTables(decoded.texts);
  return { ruleSet: undefined, diagnostics: diagnose(decoded.findings, lines) };
}
