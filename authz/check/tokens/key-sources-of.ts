import { keySourceOf } from "#authz/authenticate/key-source";
import type { KeySource } from "#identity/key-set/key-source";
import type { RuleSet } from "#policy-compiler/ruleset/model";

/** Where the keys of all issuers of a rule set come from, each source once. */
export function keySourcesOf(ruleSet: RuleSet): readonly KeySource[] {
  const sources = ruleSet.requestAuthentications.flatMap(({ jwtRules }) => jwtRules.map(keySourceOf));
  return [...new Map(sources.map((source) => [source.id, source])).values()];
}
