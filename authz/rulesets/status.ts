import type { FaultCode } from "#platform/fault-codes";
import type { RuleSet } from "#policy-compiler/ruleset/model";
import type { Diagnostic } from "#policy-compiler/source/diagnostic";
import type { BuildFault, Pin, RuleSource, TestRun } from "./build.ts";
import type { Revision } from "./git/settings.ts";
import type { StalenessSettings } from "./staleness.ts";

/** The rule set in force, for people and metrics. */
export interface ActiveRuleSet {
  readonly digest: string;
  /** The commit, where the source has commits. */
  readonly revision: Revision | undefined;
  /** When it was put in force. */
  readonly sinceMillis: number;
  readonly files: number;
  readonly sizeBytes: number;
  readonly counts: RuleSetCounts;
  /** Warnings and notes of its compilation. */
  readonly diagnostics: readonly Diagnostic[];
  /** Of its own policy tests, where they were run. */
  readonly tests: TestCounts | undefined;
}

export interface TestCounts {
  readonly run: number;
  readonly failed: number;
}

export interface RuleSetCounts {
  readonly policies: number;
  readonly rules: number;
  readonly policiesByAction: Readonly<Record<string, number>>;
  readonly peerAuthentications: number;
  readonly requestAuthentications: number;
  readonly workloads: number;
  readonly services: number;
  readonly providers: number;
  readonly registrations: number;
}

/** The newest attempt, when it did not come into force: `policy/invalid`, or what was wrong with the source. */
export interface RefusedCandidate extends BuildFault {
  readonly atMillis: number;
}

/** Why what is in force is not, or may not be, the newest. */
export interface Degraded {
  /** Of the fault, where it is one. */
  readonly code: FaultCode | undefined;
  readonly reason: string;
  readonly sinceMillis: number;
}

/**
 * The three questions that operators ask apart. `ready`: a rule set is in force, and requests are decided by it. `current`: it is of the newest state of the
 * source, which was seen within the bound. `degraded`: there is a rule set, but an older one; why, and since when.
 */
export interface RuleSetStatus {
  readonly source: string;
  readonly ready: boolean;
  readonly current: boolean;
  readonly degraded: Degraded | undefined;
  /** The commit in force is there because an operator said so. It is not `current`, even if it is the newest. */
  readonly pinned: Pin | undefined;
  readonly active: ActiveRuleSet | undefined;
  readonly candidate: RefusedCandidate | undefined;
  readonly lastAttemptMillis: number | undefined;
  /** When the rules in force were last found to be the newest. */
  readonly lastSuccessMillis: number | undefined;
  readonly nextAttemptMillis: number | undefined;
  /** Since when the rules in force are older than is allowed. */
  readonly staleSinceMillis: number | undefined;
  /** Why they are. */
  readonly staleReason: string | undefined;
  /** What the source has to say, one line each. */
  readonly warnings: readonly string[];
}

/** What is known of a source and of the rules in force. */
export interface StatusParts {
  readonly source: RuleSource;
  readonly active: ActiveRuleSet | undefined;
  readonly candidate: RefusedCandidate | undefined;
  /** Since when what the source offers is refused. */
  readonly degradedSinceMillis: number | undefined;
  readonly lastAttemptMillis: number | undefined;
  readonly lastSuccessMillis: number | undefined;
  /** Since when the rules in force are too old, why, and what follows. */
  readonly staleSinceMillis: number | undefined;
  readonly staleReason: string | undefined;
  readonly reaction: StalenessSettings["reaction"];
}

export function describeStatus(parts: StatusParts): RuleSetStatus {
  const { source, active, candidate, lastAttemptMillis, lastSuccessMillis, staleReason, reaction } = parts;
  const staleSinceMillis = active && parts.staleSinceMillis;
  const pinned = active && source.pins?.current();
  const sinceMillis = parts.degradedSinceMillis ?? staleSinceMillis ?? pinned?.sinceMillis;
  const reason = candidate?.message ?? staleReason ?? (pinned && pinText(pinned));
  const isDegraded = active !== undefined && sinceMillis !== undefined && reason !== undefined;
  return {
    source: source.name,
    ready: active !== undefined && (staleSinceMillis === undefined || reaction === "nothing"),
    current: active !== undefined && candidate === undefined && staleSinceMillis === undefined && pinned === undefined,
    degraded: isDegraded ? { code: candidate?.code, reason, sinceMillis } : undefined,
    pinned,
    active,
    candidate,
    lastAttemptMillis,
    lastSuccessMillis,
    nextAttemptMillis: source.nextAttemptMillis?.(),
    staleSinceMillis,
    staleReason,
    warnings: source.warnings?.() ?? [],
  };
}

/** A pin in words. */
export function pinText({ commit, untilMillis }: Pin): string {
  return `the policies are pinned to ${commit.slice(0, 12)} until ${new Date(untilMillis).toISOString()}: no push comes into force`;
}

/** Rules that have expired, in words. */
export function expiredText({ commit, expiresMillis = 0 }: Revision): string {
  return `the policy bundle in force, \`${commit}\`, expired at ${new Date(expiresMillis).toISOString()}`;
}

/** Rules that were not found to be the newest for too long, in words. */
export function agedText(lastSuccessMillis: number): string {
  return `the policies in force were not found to be the newest since ${new Date(lastSuccessMillis).toISOString()}, which is too long`;
}

/** What follows when rules are too old, in words after the reason. */
export const reactionTexts: Readonly<Record<StalenessSettings["reaction"], string>> = {
  nothing: "",
  "not-ready": ": the service says it is not ready",
  deny: ": every request is denied",
};

/** Undefined where no tests could be run. */
export function countTests(tests: TestRun | undefined): TestCounts | undefined {
  return tests === undefined || tests.defect !== undefined
    ? undefined
    : { run: tests.tests, failed: tests.failures.length };
}

export function countRuleSet(ruleSet: RuleSet): RuleSetCounts {
  const policiesByAction: Record<string, number> = {};
  for (const { stage } of ruleSet.policies) policiesByAction[stage] = (policiesByAction[stage] ?? 0) + 1;
  return {
    policies: ruleSet.policies.length,
    rules: ruleSet.rules.length,
    policiesByAction,
    peerAuthentications: ruleSet.peerAuthentications.length,
    requestAuthentications: ruleSet.requestAuthentications.length,
    workloads: ruleSet.workloads.length,
    services: ruleSet.services.length,
    providers: ruleSet.providers.length,
    registrations: ruleSet.registrations.length,
  };
}
