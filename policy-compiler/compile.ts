import type { RuleSet } from "./ruleset/model.ts";
import type { Diagnostic } from "./source/diagnostic.ts";

/** One file of a policy folder. `path` is relative to the folder, with `/`. */
export interface SourceFile {
  readonly path: string;
  readonly bytes: Uint8Array;
}

export interface CompileOptions {
  /** Unknown fields are dropped with a note, as Istio's file loader does. */
  readonly istioLax?: boolean;
}

/** `ruleSet` is undefined when a diagnostic is an error. Diagnostics are sorted by file, then place. */
export interface Compilation {
  readonly ruleSet: RuleSet | undefined;
  readonly diagnostics: readonly Diagnostic[];
}
