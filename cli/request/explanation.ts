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
  /** Where what refused was written, if that is no rule of a policy: a PeerAuthentication, a JWT rule. */
  readonly origin: Origin | undefined;
  readonly workload: Readonly<Record<string, unknown>> | undefined;
  readonly applied: Explanation["applied"];
  readonly authentications: Explanation["authentications"];
  /** The lists of `rule`, each with the value that it matched. */
  readonly matched: Walk["matched"];
  /** The conditions of `rule`, each with its parts and what they came to. */
  readonly conditions: Walk["conditions"];
  /** Rules whose conditions had no value, by which they matched or did not: the code alone. */
  readonly conditionFaults: Verdict["decision"]["conditionFaults"];
  readonly nearest: Explanation["nearest"];
  readonly unknown: Explanation["unknown"];
  readonly audit: Verdict["decision"]["audit"];
  readonly dryRun: { readonly deny: DryRunResult | undefined; readonly allow: DryRunResult | undefined };
  readonly digest: string;
  /** Where the rules are those of a commit, or of a bundle, whose revision it is. */
  readonly commit: string | undefined;
}

/** Which rules were asked. */
export type RulesAsked = Pick<ExplainedDecision, "digest" | "commit">;

/** Joins a verdict with its linear walk. Files are those of the rule set: relative to its folder. */
export function explanationOf(verdict: Verdict, walk: Walk | undefined, rules: RulesAsked): ExplainedDecision {
  const { decision, workload } = verdict;
  return {
    outcome: decision.outcome,
    reason: decision.reason,
    status: verdict.isHttp ? verdict.status : 0,
    rule: decision.rule ?? verdict.custom,
    detail: verdict.detail,
    origin: verdict.origin,
    workload: workload === undefined ? undefined : { ...workload, labels: Object.fromEntries(workload.labels) },
    applied: walk?.applied ?? [],
    authentications: walk?.authentications ?? [],
    matched: walk?.matched ?? [],
    conditions: walk?.conditions ?? [],
    conditionFaults: decision.conditionFaults,
    nearest: nearestOf(decision.reason, walk),
    unknown: walk?.unknown ?? [],
    audit: decision.audit,
    dryRun: decision.dryRun,
    digest: rules.digest,
    commit: rules.commit,
  };
}

/** The rules that came nearest, where that is why: an ALLOW miss. Another denial would have come with any of them. */
export function nearestOf(reason: DecisionReason, walk: Explanation | undefined): Explanation["nearest"] {
  return reason === "policy/not-allowed" ? (walk?.nearest ?? []) : [];
}

/** The same, with files named from where the user stands. */
export function seenFrom(folder: string, explained: ExplainedDecision): ExplainedDecision {
  const placed = (origin: Origin): Origin => ({ ...origin, file: pathFrom(folder, origin.file) });
  const refOf = (rule: RuleRef): RuleRef => ({ ...rule, origin: placed(rule.origin) });
  const ref = (rule: RuleRef | undefined) => rule && refOf(rule);
  const conditions = (list: Walk["conditions"]) => list.map((each) => ({ ...each, origin: placed(each.origin) }));
  const dryRun = (result: DryRunResult | undefined) => result && { ...result, rule: ref(result.rule) };
  const { audit } = explained;
  return {
    ...explained,
    rule: ref(explained.rule),
    origin: explained.origin && placed(explained.origin),
    applied: explained.applied.map((policy) => ({ ...policy, origin: placed(policy.origin) })),
    authentications: explained.authentications.map((each) => ({ ...each, origin: placed(each.origin) })),
    conditions: conditions(explained.conditions),
    conditionFaults: explained.conditionFaults.map((fault) => ({ ...fault, rule: refOf(fault.rule) })),
    nearest: explained.nearest.map((near) => ({
      ...near,
      rule: refOf(near.rule),
      conditions: conditions(near.conditions),
    })),
    audit: audit && { ...audit, rule: ref(audit.rule) },
    dryRun: { deny: dryRun(explained.dryRun.deny), allow: dryRun(explained.dryRun.allow) },
  };
}
