import type { Verdict } from "#authz/check/verdict";
import type { DecisionReason, DryRunResult, Explanation, RuleRef } from "#authz/engine/decision";
import type { Origin } from "#policy-compiler/ruleset/model";
import { pathFrom } from "../policies/path-from.ts";
import type { Walk } from "./ask.ts";

/** A decision and what is behind it, as the admin API and `--format json` print it. */
export interface ExplainedDecision {
  readonly outcome: "allow" | "deny";
  readonly reason: string;
  /** HTTP status; 0 for a connection. */
  readonly status: number;
  readonly rule: RuleRef | undefined;
  readonly detail: string | undefined;
  readonly workload: Readonly<Record<string, unknown>> | undefined;
  readonly applied: Explanation["applied"];
  /** The lists of `rule`, each with the value that it matched. */
  readonly matched: Walk["matched"];
  readonly nearest: Explanation["nearest"];
  readonly unknown: Explanation["unknown"];
  readonly audit: Verdict["decision"]["audit"];
  readonly dryRun: { readonly deny: DryRunResult | undefined; readonly allow: DryRunResult | undefined };
  readonly digest: string;
}

/** Joins a verdict with its linear walk. Files are those of the rule set: relative to its folder. */
export function explanationOf(verdict: Verdict, walk: Walk | undefined, digest: string): ExplainedDecision {
  const { decision, workload } = verdict;
  return {
    outcome: decision.outcome,
    reason: decision.reason,
    status: verdict.isHttp ? verdict.status : 0,
    rule: decision.rule ?? verdict.custom,
    detail: verdict.detail,
    workload: workload === undefined ? undefined : { ...workload, labels: Object.fromEntries(workload.labels) },
    applied: walk?.applied ?? [],
    matched: walk?.matched ?? [],
    nearest: nearestOf(decision.reason, walk),
    unknown: walk?.unknown ?? [],
    audit: decision.audit,
    dryRun: decision.dryRun,
    digest,
  };
}

/** The rules that came nearest, where that is why: an ALLOW miss. Another denial would have come with any of them. */
export function nearestOf(reason: DecisionReason, walk: Explanation | undefined): Explanation["nearest"] {
  return reason === "policy/not-allowed" ? (walk?.nearest ?? []) : [];
}

/** The same, with files named from where the user stands. */
export function seenFrom(folder: string, explained: ExplainedDecision): ExplainedDecision {
  const placed = (origin: Origin): Origin => ({ ...origin, file: pathFrom(folder, origin.file) });
  const ref = (rule: RuleRef | undefined) => rule && { ...rule, origin: placed(rule.origin) };
  const dryRun = (result: DryRunResult | undefined) => result && { ...result, rule: ref(result.rule) };
  const { audit } = explained;
  return {
    ...explained,
    rule: ref(explained.rule),
    applied: explained.applied.map((policy) => ({ ...policy, origin: placed(policy.origin) })),
    nearest: explained.nearest.map((near) => ({ ...near, rule: { ...near.rule, origin: placed(near.rule.origin) } })),
    audit: audit && { ...audit, rule: ref(audit.rule) },
    dryRun: { deny: dryRun(explained.dryRun.deny), allow: dryRun(explained.dryRun.allow) },
  };
}
