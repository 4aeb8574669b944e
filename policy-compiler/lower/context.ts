import type { Origin } from "#policy-compiler/ruleset/model";
import type { Finding } from "#policy-compiler/source/diagnostic";

/** What every part of lowering needs. */
export interface LowerContext {
  /** The mesh's trust domain, then its aliases. */
  readonly trustDomains: readonly string[];
  readonly locate: (file: string, offset: number) => Origin;
  readonly report: (finding: Finding) => void;
}
