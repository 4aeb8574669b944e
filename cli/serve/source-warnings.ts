import { diagnosticLines } from "#authz/rulesets/diagnostic-lines";
import { pinText, type RefusedCandidate, type RuleSetStatus } from "#authz/rulesets/status";
import type { ConfigurationStatus } from "#authz/transport/admin/contract";

/** So many warnings of the compiler are told one by one. */
const toldWarnings = 10;

/** That what is in force is not what was last read, and what the compiler warns of in the policies that are, one line each. */
export function sourceWarnings(rules: RuleSetStatus, fault: ConfigurationStatus["fault"]): string[] {
  const { active, candidate, pinned } = rules;
  return [
    ...(pinned === undefined ? [] : [pinText(pinned)]),
    ...(candidate === undefined ? [] : [candidateText(candidate, rules)]),
    ...(fault === undefined
      ? []
      : [
          `the older configuration is in force, the newest was refused at ${timeOf(fault.atMillis)}: ${firstOf(fault.messages)}`,
        ]),
    ...rules.warnings,
    ...(rules.staleReason === undefined ? [] : [rules.staleReason]),
    ...diagnosticLines(active?.diagnostics ?? [], "warning", toldWarnings).map((line) => `policies: ${line}`),
  ];
}

function candidateText(candidate: RefusedCandidate, { active, degraded }: RuleSetStatus): string {
  const why = `${candidate.message} [${candidate.code}]`;
  if (degraded === undefined) return `no policies are in force, every request is denied: ${why}`;
  return `${standingOf(candidate, active)} since ${timeOf(degraded.sinceMillis)}: ${why}`;
}

/** A source that cannot be asked may have nothing newer: that older policies are in force is said where that is known. */
function standingOf({ code, revision }: RefusedCandidate, active: RuleSetStatus["active"]): string {
  if (revision === undefined && code !== "policy/invalid")
    return "older policies may be in force, the newest cannot be had";
  // Those that signed it are no signers any more.
  if (revision !== undefined && revision.commit === active?.revision?.commit)
    return "the policies in force would not be taken any more,";
  return "older policies are in force, the newest are refused";
}

function firstOf([first, ...more]: readonly string[]): string {
  return more.length === 0 ? `${first}` : `${first} (and ${more.length} more)`;
}

function timeOf(millis: number): string {
  return new Date(millis).toISOString();
}
