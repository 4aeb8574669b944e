import type { Diagnostic } from "#policy-compiler/source/diagnostic";
import { pathFrom } from "../policies/path-from.ts";
import type { ExpressionCost } from "./costs.ts";

/** Ways to print diagnostics. `text` is for people; the others are for programs. */
export const diagnosticFormats = ["text", "json", "junit", "sarif", "github"] as const;
export type DiagnosticFormat = (typeof diagnosticFormats)[number];

/** Everything that a report on a policy folder says. */
export interface DiagnosticReport {
  /** The folder as the user named it: put in front of each file's path, so that editors and CI find the file. */
  readonly folder: string;
  readonly diagnostics: readonly Diagnostic[];
  /** Text of a file, for excerpts. */
  readonly textOf: (file: string) => string | undefined;
  /** One line for people about what was compiled; undefined when the folder is invalid. */
  readonly summary: string | undefined;
  /** Of every expression, files as the compiler names them. */
  readonly costs: readonly ExpressionCost[];
  /** Is each of them to be told, or the costliest alone? */
  readonly allCosts: boolean;
}

export interface Tally {
  readonly errors: number;
  readonly warnings: number;
  readonly notes: number;
}

export function tally(diagnostics: readonly Diagnostic[]): Tally {
  const count = (severity: Diagnostic["severity"]) => diagnostics.filter((d) => d.severity === severity).length;
  return { errors: count("error"), warnings: count("warning"), notes: count("note") };
}

/** Path of a diagnostic's file from where the user stands. */
export function pathFor(report: DiagnosticReport, file: string): string {
  return pathFrom(report.folder, file);
}
