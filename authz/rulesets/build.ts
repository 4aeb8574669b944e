import type { Engine } from "#authz/engine/contract";
import type { FaultCode } from "#platform/fault-codes";
import type { Diagnostic } from "#policy-compiler/source/diagnostic";
import type { Revision } from "./git/settings.ts";

/**
 * So many diagnostics of a severity are kept: they are compared at each attempt and told with each status, by the thread that answers requests, and a policy folder
 * can have a million errors.
 */
export const mostDiagnostics = 1_000;

/** What became of an attempt to make a rule set of what a source holds. */
export type BuildResult =
  | {
      readonly kind: "built";
      /** The encoded rule set. */
      readonly bytes: Uint8Array;
      /** Hex SHA-256 of `bytes`. */
      readonly digest: string;
      /** `bytes`, prepared, where the source had to see that they can be. */
      readonly engine?: Engine;
      /** Warnings and notes. */
      readonly diagnostics: readonly Diagnostic[];
      /** Files that were read. */
      readonly files: number;
      /** The commit, or the revision of a bundle, where the source has them. */
      readonly revision?: Revision;
      /** The policy tests that came with them, where they were run. */
      readonly tests?: TestRun;
      /** Set: these are older rules, kept for the case that the newest cannot be had. */
      readonly fallback?: Fallback;
    }
  /** The source holds what is in force. */
  | { readonly kind: "unchanged" }
  /** The policies have errors. `revision`: the commit that has them, where the source has commits. */
  | {
      readonly kind: "invalid";
      readonly diagnostics: readonly Diagnostic[];
      readonly files: number;
      readonly revision?: Revision;
    }
  /** The source could not be read. `revision`: the commit whose fault it is, where it is one's. */
  | { readonly kind: "failed"; readonly code: FaultCode; readonly message: string; readonly revision?: Revision };

/** Why older rules are offered, and when they were last known to be the newest. */
export interface Fallback extends BuildFault {
  readonly confirmedMillis: number;
}

export interface BuildFault {
  readonly code: FaultCode;
  readonly message: string;
  readonly diagnostics: readonly Diagnostic[];
  /** The commit that has the fault. */
  readonly revision?: Revision | undefined;
}

/** What came of the policy tests of a source. */
export interface TestRun {
  readonly tests: number;
  /** One line each, for those that failed or cannot be read. */
  readonly failures: readonly string[];
  /** Why none could be run, which says nothing of the policies. */
  readonly defect?: string;
}

/** A commit that is in force because an operator said so, and how long it stays. */
export interface Pin {
  readonly commit: string;
  readonly sinceMillis: number;
  readonly untilMillis: number;
}

/** What should stay longer is a revert in the repository. */
export const longestPinSeconds = 7 * 86_400;

/** A source whose commits can be pinned. */
export interface PinnedSource {
  /** Reads and compiles a commit of the source's history. Changes nothing. `commit`: its name, or how it begins. Never rejects. */
  build(commit: string, inForce?: Revision): Promise<BuildResult>;
  /** From now on until its end nothing else comes into force, also after a restart. Fails with `output/unwritable`. */
  keep(pin: Pin, inForce?: Revision): Promise<void>;
  /** Ends it now. Fails with `output/unwritable`. */
  end(): Promise<void>;
  /** The one that holds now. */
  current(): Pin | undefined;
}

/** Where rule sets come from. */
export interface RuleSource {
  /** For people: `directory /etc/garita/policies`. */
  readonly name: string;
  /** Reads and compiles, away from the event loop. `inForce`: the commit of the rules in force. `isAsked`: somebody waits for it, it is not `watch` alone that called. Never rejects. */
  build(inForce?: Revision, isAsked?: boolean): Promise<BuildResult>;
  /** Hears of each result that came into force. Never rejects. */
  accepted?(built: BuildResult & { kind: "built" }): Promise<void>;
  /** When it will ask by itself again. */
  nextAttemptMillis?(): number | undefined;
  /** Undefined: it has no commits. */
  readonly pins?: PinnedSource;
  /** What an operator should look at, one line each. */
  warnings?(): readonly string[];
  /** Calls back, possibly too often, when there may be something new. Resolves when it watches; the result ends it. */
  watch(onChange: () => void): Promise<() => Promise<void>>;
  close(): Promise<void>;
}
