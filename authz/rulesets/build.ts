import type { FaultCode } from "#platform/fault-codes";
import type { Diagnostic } from "#policy-compiler/source/diagnostic";

/** What became of an attempt to make a rule set of what a source holds. */
export type BuildResult =
  | {
      readonly kind: "built";
      /** The encoded rule set. */
      readonly bytes: Uint8Array;
      /** Hex SHA-256 of `bytes`. */
      readonly digest: string;
      /** Warnings and notes. */
      readonly diagnostics: readonly Diagnostic[];
      /** Files that were read. */
      readonly files: number;
    }
  /** The policies have errors. */
  | { readonly kind: "invalid"; readonly diagnostics: readonly Diagnostic[]; readonly files: number }
  /** The source could not be read. */
  | { readonly kind: "failed"; readonly code: FaultCode; readonly message: string };

/** Where rule sets come from. */
export interface RuleSource {
  /** For people: `directory /etc/garita/policies`. */
  readonly name: string;
  /** Reads and compiles, away from the event loop. Never rejects. */
  build(): Promise<BuildResult>;
  /** Calls back, possibly too often, when there may be something new. Resolves when it watches; the result ends it. */
  watch(onChange: () => void): Promise<() => Promise<void>>;
  close(): Promise<void>;
}
