import type { TracedExpression } from "#policy-compiler/conditions/contract";
import type { Origin, Stage } from "#policy-compiler/ruleset/model";
import type { ConditionFaultCode } from "./conditions/fault-codes.ts";

/** A rule as a decision names it. */
export interface RuleRef {
  /** Index into the rule set's `rules`. */
  readonly id: number;
  /** `ns[NS]-policy[NAME]-rule[i]`; CUSTOM rules with their `istio-ext-authz-…` prefix. */
  readonly key: string;
  readonly origin: Origin;
}

/**
 * Why, in one word, for logs, metrics and dynamic metadata.
 * The first five are the engine's; the others are refusals (denials for another reason than policy), decided in `authz/check`.
 */
export const decisionReasons = {
  "policy/no-policy": "no ALLOW policy applies to the workload and no DENY rule matched",
  "policy/allowed": "an ALLOW rule matched",
  "policy/denied": "a DENY rule matched",
  "policy/not-allowed": "ALLOW policies apply to the workload and none of their rules matched",
  "custom/denied": "a CUSTOM rule matched and its provider refused",
  "custom/failed": "a CUSTOM rule matched and its provider failed: no answer, too late, or an error",
  "custom/unresolved":
    "a CUSTOM rule matched and its provider cannot be asked: not known, not valid, or one of several",
  revoked:
    "the peer's certificate or identity is on the deny list, or the list has identities and the peer's is not known",
  "revocations/none": "a deny list is required and none has come yet, and the peer has a certificate, or may have one",
  "mtls-required": "PeerAuthentication is STRICT and the connection is not known to be mutual TLS",
  "authentication/refused": "a token was found and is not valid",
  "answer/no-value":
    "an ALLOW rule matched, and a value that it adds to the request or its answer could not be evaluated",
  "answer/not-carried": "the request would have to be changed in a way that the caller cannot be told",
  "path/not-normal": "the path is not in normal form and the caller cannot be given the normal one",
  "path/invalid": "the path cannot be brought into normal form",
  "workload/unknown": "no workload fits what the request says",
  "workload/ambiguous": "several workloads fit what the request says",
  "workload/incomplete": "the workload is not completely described",
  "rules/none": "no rule set is in force yet",
  "rules/expired":
    "the rules were not found to be the newest for longer than `maxStaleSeconds`, or their bundle has expired, and `onStale` is `deny`",
  "request/unreadable": "the request could not be read",
  "request/too-large": "the request is larger than the limit",
  "request/deadline": "the deadline passed before a decision",
  "listener/unauthorized": "the caller did not present the listener's secret",
  "internal/defect": "a defect; it is logged",
} as const;
export type DecisionReason = keyof typeof decisionReasons;

/** Envoy's words for a dry-run stage (its shadow RBAC engine). */
export interface DryRunResult {
  readonly result: "allowed" | "denied";
  readonly rule: RuleRef | undefined;
}

/** What the engine decided. `outcome` is what counts; everything else is its reason and its record. */
export interface Decision {
  readonly outcome: "allow" | "deny";
  readonly reason: DecisionReason;
  /** The rule that decided; undefined when none did (no policy, an ALLOW miss, a refusal). */
  readonly rule: RuleRef | undefined;
  /** Undefined when no AUDIT policy applies or an earlier stage answered. */
  readonly audit: { readonly matched: boolean; readonly rule: RuleRef | undefined } | undefined;
  readonly dryRun: { readonly deny: DryRunResult | undefined; readonly allow: DryRunResult | undefined };
  /**
   * Law 2: the rules whose fields did not rule them out and whose conditions had no value, by which they ended unsure. Of each stage that
   * was reached those up to the rule that matched; all, if none did. So it says why a DENY rule matched, and which ALLOW rules did not
   * for this. At most `MOST_FAULTS`, smallest id first.
   */
  readonly conditionFaults: readonly RuleFault[];
  /** Number of rules whose predicates ran. */
  readonly visited: number;
}

/** A rule and why a condition (or a value of its answer) could not be evaluated: the code alone, never a value. */
export interface RuleFault {
  readonly rule: RuleRef;
  readonly code: ConditionFaultCode;
}

/** So many faults of conditions a decision tells. */
export const MOST_FAULTS = 8;

/** One condition of a rule as it came out for a request, for people. */
export interface ExplainedCondition {
  /** As the author wrote it, and where. */
  readonly text: string;
  readonly origin: Origin;
  readonly result: "true" | "false" | "unknown";
  /** Why it is unknown, and the attribute that it lacks, if that is why. */
  readonly fault: ConditionFaultCode | undefined;
  readonly attribute: string | undefined;
  /** Every sub-expression and what it came to, outermost first; offsets into `text`. Values that must not be shown are replaced. */
  readonly trace: readonly TracedExpression[];
}

/** One leaf that kept a rule from matching (or left it unknown). */
export interface FailedField {
  readonly side: "from" | "to" | "when";
  /** The author's field: `paths`, `notHosts`, `request.headers[x-t]`. */
  readonly field: string;
  /** What the author wrote. */
  readonly wanted: readonly string[];
  /** The value in the request, for people; `undefined`: absent. */
  readonly seen: string | undefined;
  readonly result: "false" | "unknown";
}

export interface NearRule {
  readonly rule: RuleRef;
  readonly stage: Stage;
  /** Fields that held, of how many. */
  readonly satisfied: number;
  readonly total: number;
  readonly failed: readonly FailedField[];
  /** Its conditions, each counted as a field. */
  readonly conditions: readonly ExplainedCondition[];
}

/** The linear walk of the same predicates (law 7): the decision is equal to `decide`'s in outcome, reason and rule. */
export interface Explanation {
  readonly decision: Decision;
  /** Policies that apply to the workload, by stage. */
  readonly applied: readonly {
    /** Of our own API group; left out: Istio's. */
    readonly family?: "garita";
    readonly stage: Stage;
    readonly namespace: string;
    readonly name: string;
    readonly origin: Origin;
  }[];
  /** RequestAuthentications that apply to the workload. */
  readonly authentications: readonly { readonly namespace: string; readonly name: string; readonly origin: Origin }[];
  /** For an ALLOW miss: the rules that came nearest, best first, at most five. */
  readonly nearest: readonly NearRule[];
  /** What was unknown and mattered, with the line of Envoy configuration that would have brought it. */
  readonly unknown: readonly { readonly attribute: string; readonly remedy: string }[];
}
