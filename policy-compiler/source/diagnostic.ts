import type { DiagnosticCode } from "./codes.ts";

/** A half-open range of UTF-16 offsets in one file. Line and column are made from it at the edge (`render.ts`). */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** A value together with the place where its author wrote it. */
export interface Located<T> {
  readonly value: T;
  readonly span: Span;
}

export type Severity = "error" | "warning" | "note";

/** Line and column count from one, as editors do; columns count UTF-16 units. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/**
 * What the compiler has to say to an author. Data: collected, sorted by file and place, never thrown.
 * `message` is one line, lower case, without a final stop; the author's text stands in backticks; what was expected, then
 * what was found. Suggestions stand in `help`.
 */
export interface Diagnostic {
  readonly code: DiagnosticCode;
  readonly severity: Severity;
  readonly message: string;
  /** Path of the file relative to the policy folder, with `/`. */
  readonly file: string;
  readonly start: Position;
  readonly end: Position;
  readonly help?: string;
}

/** A diagnostic before its offsets became lines and columns; stages of the compiler produce these. */
export interface Finding {
  readonly code: DiagnosticCode;
  readonly message: string;
  readonly file: string;
  readonly span: Span;
  readonly help?: string;
}
