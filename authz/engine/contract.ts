import type { AuthenticationPlan } from "#authz/authenticate/contract";
import type { PeerAuthenticationRule, RuleSet } from "#policy-compiler/ruleset/model";
import type { RequestAttributes, Workload } from "./attributes.ts";
import type { ConditionFaultCode } from "./conditions/fault-codes.ts";
import type { RuleResponse } from "./conditions/respond.ts";
import type { Decision, ExplainedCondition, Explanation, RuleRef } from "./decision.ts";

/** A PeerAuthentication mode that is in force (never UNSET). */
export type EffectiveMtlsMode = "DISABLE" | "PERMISSIVE" | "STRICT";

/**
 * The part of a rule set that concerns one workload: which policies select it. Made once per workload and rule set, and
 * kept there (bounded). Cost of making: linear in the number of policies.
 */
export interface WorkloadView {
  readonly workload: Workload;
  /** PeerAuthentication's composed mode for a workload port (Istio: mesh, namespace, workload, port). */
  mtlsMode(port: number): EffectiveMtlsMode;
  /** The rule that set that mode; undefined: none did. */
  mtlsRule(port: number): PeerAuthenticationRule | undefined;
  /** The RequestAuthentications that apply, as indexes into the rule set's list. ORDER: that in which their rules are gathered. */
  readonly requestAuthentications: readonly number[];
  /** Their JWT rules in the order in which they are tried; undefined: none. */
  readonly authentication: AuthenticationPlan | undefined;
  /** The providers that CUSTOM policies of the workload name, each once. Istio asks none of them when there are several. */
  readonly customProviders: readonly string[];
}

/** A CUSTOM stage that wants its provider asked: the lowest matching rule per provider, providers in byte order of name. */
export interface CustomMatch {
  readonly provider: string;
  readonly rule: RuleRef;
  /** A condition of the rule had no value, and so it matched. */
  readonly fault?: ConditionFaultCode;
}

/** A rule set made ready for decisions. Immutable to its users. */
export interface Engine {
  readonly ruleSet: RuleSet;
  /** Hex SHA-256 of the rule set's bytes. */
  readonly digest: string;
  view(workload: Workload): WorkloadView;
  /** CUSTOM rules, before tokens are verified. TCP: rules of HTTP providers are not asked, as in Istio. */
  matchCustom(view: WorkloadView, request: RequestAttributes): readonly CustomMatch[];
  /** AUDIT, DENY, ALLOW with their dry-run stages. Total: answers every input, never throws, never awaits. */
  decide(view: WorkloadView, request: RequestAttributes): Decision;
  /**
   * What the rule that decided adds to the answer of an HTTP request, its expressions evaluated on the request as `decide` saw it; undefined:
   * nothing of its own. Total, like `decide`. Values are not looked at: whether a header can hold them is for whoever answers.
   */
  respond(view: WorkloadView, rule: RuleRef, request: RequestAttributes): RuleResponse | undefined;
  explain(view: WorkloadView, request: RequestAttributes): Explanation;
  /** Every condition of a rule with its sub-expressions, in the author's order, whatever its fields say. For people: slow. */
  explainConditions(view: WorkloadView, rule: RuleRef, request: RequestAttributes): readonly ExplainedCondition[];
}
