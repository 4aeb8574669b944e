import { createPlan } from "#authz/authenticate/plan";
import type { KeySource } from "#identity/key-set/key-source";
import type { RuleSet } from "#policy-compiler/ruleset/model";

/** Where the keys of all issuers of a rule set come from, each source once. */
export function keySourcesOf(ruleSet: RuleSet): readonly KeySource[] {
  const plan = createPlan(ruleSet.requestAuthentications.flatMap(({ jwtRules }) => jwtRules));
  const byId = new Map((plan?.providers ?? []).map(({ keySource }) => [keySource.id, keySource]));
  return [...byId.values()];
}
