import { decodeDocuments } from "./document/decode-documents.ts";
import type { DocumentSet } from "./document/model.ts";
import { buildIndexes } from "./index/build.ts";
import { lowerDocuments } from "./lower/lower.ts";
import type { RuleSet } from "./ruleset/model.ts";
import { diagnose, hasError } from "./source/diagnose.ts";
import type { Diagnostic } from "./source/diagnostic.ts";
import { LineTables } from "./source/locate.ts";
import type { CompileOptions, SourceFile } from "./source/source-file.ts";
import { validateDocuments } from "./validate/validate.ts";

export { type CodeRow, diagnosticCodes } from "./source/codes.ts";
export type { CompileOptions, SourceFile } from "./source/source-file.ts";

/** `ruleSet` is undefined when a diagnostic is an error. Diagnostics are sorted by file, then place. */
export interface Compilation {
  readonly ruleSet: RuleSet | undefined;
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * Compiles the files of a policy folder. Never throws; the same input gives the same result. What decodes is validated even
 * when something else does not decode; what has an error is not lowered.
 */
export function compile(files: readonly SourceFile[], options: CompileOptions = {}): Compilation {
  const { documents, findings: decoding, texts } = decodeDocuments(files, options);
  const lines = new LineTables(texts);
  const findings = [...decoding, ...validateDocuments(documents)];
  if (hasError(findings)) return { ruleSet: undefined, diagnostics: diagnose(findings, lines) };
  if (isEmpty(documents)) {
    findings.push({ code: "folder/no-policies", message: "no policy documents found", file: ".", span: folderStart });
  }

  const lowered = lowerDocuments(documents, (file, offset) => ({ file, ...lines.locate(file, offset) }));
  findings.push(...lowered.findings);
  const diagnostics = diagnose(findings, lines);
  if (hasError(lowered.findings)) return { ruleSet: undefined, diagnostics };

  return { ruleSet: { ...lowered.ruleSet, index: buildIndexes(lowered.ruleSet) }, diagnostics };
}

/** The folder itself has no text to point into. */
const folderStart = { start: 0, end: 0 };

/** Is there nothing that a folder is kept for? One of registrations alone serves a certificate authority, and is the right folder. */
function isEmpty(documents: DocumentSet): boolean {
  const { authorizationPolicies, requestAuthentications, peerAuthentications, registrations } = documents;
  const policies = authorizationPolicies.length + requestAuthentications.length + peerAuthentications.length;
  return policies + registrations.length === 0;
}
