import type { AskedRequest } from "./conditions/asked-request.ts";
import { type Decision, type DryRunResult, MOST_FAULTS, type RuleRef } from "./decision.ts";
import { TRUE, type Truth, UNSURE } from "./kleene.ts";
import { type RuleTable, stageNumber } from "./rule-table.ts";
import type { PreparedView } from "./view.ts";

/** By stage number: the smallest id among the rules that match, -1 for none. */
export type LowestMatches = Int32Array;

export function noMatches(): LowestMatches {
  return new Int32Array(Object.keys(stageNumber).length).fill(-1);
}

/** Law 2: what is unsure does not allow, and does everything else. */
export function counts(stage: number, result: Truth): boolean {
  return result === TRUE || (result === UNSURE && stage !== stageNumber.allow && stage !== stageNumber.dryRunAllow);
}

const NO_DRY_RUN: Decision["dryRun"] = { deny: undefined, allow: undefined };
const NO_FAULTS: Decision["conditionFaults"] = Object.freeze([]);
const AUDIT_MISS: Decision["audit"] = { matched: false, rule: undefined };

/**
 * What the stages' results mean (Envoy's RBAC filters in Istio's order: AUDIT, DENY, ALLOW; a dry-run policy is the shadow of
 * the filter of its action). A DENY match answers before the ALLOW filter and its shadow are reached. Without an enforced
 * ALLOW policy there is no ALLOW filter, and everything passes.
 */
export function decisionOf(
  table: RuleTable,
  view: PreparedView,
  asked: AskedRequest,
  lowest: LowestMatches,
  visited: number,
): Decision {
  const deny = matched(table, lowest, stageNumber.deny);
  const allow = matched(table, lowest, stageNumber.allow);
  const record = {
    audit: auditOf(table, view, lowest),
    dryRun: dryRunOf(table, view, lowest, deny !== undefined),
    conditionFaults: faultsOf(table, asked, lowest, deny !== undefined),
    visited,
  };
  if (deny !== undefined) return { outcome: "deny", reason: "policy/denied", rule: deny, ...record };
  if (!view.stages[stageNumber.allow])
    return { outcome: "allow", reason: "policy/no-policy", rule: undefined, ...record };
  if (allow !== undefined) return { outcome: "allow", reason: "policy/allowed", rule: allow, ...record };
  return { outcome: "deny", reason: "policy/not-allowed", rule: undefined, ...record };
}

function matched(table: RuleTable, lowest: LowestMatches, stage: number): RuleRef | undefined {
  const id = lowest[stage]!;
  return id < 0 ? undefined : table.ref(id);
}

/** INVARIANT: the same with and without the index: up to the lowest match of a stage both ways ask every rule that may hold. */
function faultsOf(
  table: RuleTable,
  { noted }: AskedRequest,
  lowest: LowestMatches,
  denied: boolean,
): Decision["conditionFaults"] {
  if (noted.length === 0) return NO_FAULTS;
  const mattered = noted.filter(({ id }) => {
    const stage = table.stages[id]!;
    if (denied && (stage === stageNumber.allow || stage === stageNumber.dryRunAllow)) return false;
    return lowest[stage]! < 0 || id <= lowest[stage]!;
  });
  return mattered
    .sort((a, b) => a.id - b.id)
    .slice(0, MOST_FAULTS)
    .map(({ id, code }) => ({ rule: table.ref(id), code }));
}

function auditOf(table: RuleTable, view: PreparedView, lowest: LowestMatches): Decision["audit"] {
  if (!view.stages[stageNumber.audit]) return undefined;
  const rule = matched(table, lowest, stageNumber.audit);
  return rule === undefined ? AUDIT_MISS : { matched: true, rule };
}

function dryRunOf(table: RuleTable, view: PreparedView, lowest: LowestMatches, denied: boolean): Decision["dryRun"] {
  const hasDeny = view.stages[stageNumber.dryRunDeny];
  const hasAllow = view.stages[stageNumber.dryRunAllow] && !denied;
  if (!hasDeny && !hasAllow) return NO_DRY_RUN;
  const deny = matched(table, lowest, stageNumber.dryRunDeny);
  const allow = matched(table, lowest, stageNumber.dryRunAllow);
  return {
    deny: hasDeny ? result(deny, deny !== undefined ? "denied" : "allowed") : undefined,
    allow: hasAllow ? result(allow, allow !== undefined ? "allowed" : "denied") : undefined,
  };
}

function result(rule: RuleRef | undefined, word: DryRunResult["result"]): DryRunResult {
  return { result: word, rule };
}
