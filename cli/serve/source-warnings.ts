import { diagnosticLines } from "#authz/rulesets/diagnostic-lines";
import { pinText, type RuleSetStatus } from "#authz/rulesets/status";
import type { ConfigurationStatus } from "#authz/transport/admin/contract";

/** So many warnings of the compiler are told one by one. */
const toldWarnings = 10;

/** That what is in force is not what was last read, and what the compiler warns of in the policies that are, one line each. */
export function sourceWarnings(rules: RuleSetStatus, fault: ConfigurationStatus["fault"]): string[] {
  const { active, candidate, degraded, pinned } = rules;
  return [
    ...(pinned === undefined ? [] : [pinText(pinned)]),
    ...(degraded === undefined || candidate === undefined
      ? []
      : [
          `older policies are in force, the newest were refused at ${timeOf(degraded.sinceMillis)}: ${degraded.reason}`,
        ]),
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

function firstOf([first, ...more]: readonly string[]): string {
  return more.length === 0 ? `${first}` : `${first} (and ${more.length} more)`;
}

function timeOf(millis: number): string {
  return new Date(millis).toISOString();
}
