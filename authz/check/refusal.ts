import type { Decision, DecisionReason, RuleRef } from "#authz/engine/decision";
import type { Origin } from "#policy-compiler/ruleset/model";

/** What a client gets with a denial. */
export interface Reply {
  readonly status: number;
  readonly body: string;
}

/** Istio's words for a denial by policy; every other refusal of ours looks the same to a client. */
export const accessDenied: Reply = { status: 403, body: "RBAC: access denied" };

/** A denial for another reason than policy. `detail`: for the log, never for the client. */
export interface Refusal {
  readonly reason: DecisionReason;
  readonly reply: Reply;
  readonly detail: string | undefined;
  /** Where what refused was written, if that is a document without rules. */
  readonly origin: Origin | undefined;
}

export function refusal(reason: DecisionReason, detail?: string, reply: Reply = accessDenied): Refusal {
  return { reason, reply, detail, origin: undefined };
}

const noFaults: readonly never[] = Object.freeze([]);

/** A refusal as a decision: no stage of policies was reached, or (with `rule`) the CUSTOM stage answered. */
export function refusedDecision(
  reason: DecisionReason,
  rule?: RuleRef,
  conditionFaults: Decision["conditionFaults"] = noFaults,
): Decision {
  return {
    outcome: "deny",
    reason,
    rule,
    audit: undefined,
    dryRun: { deny: undefined, allow: undefined },
    conditionFaults,
    visited: 0,
  };
}
