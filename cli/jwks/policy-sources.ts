import { keySourceOf } from "#authz/authenticate/key-source";
import type { KeySource } from "#identity/key-set/key-source";
import type { JwtRule, Origin, RuleSet } from "#policy-compiler/ruleset/model";
import { pathFrom } from "../policies/path-from.ts";

/** A JWT rule and where it stands. */
export interface PlacedRule {
  /** `namespace/name` of its RequestAuthentication. */
  readonly policy: string;
  readonly origin: Origin;
  readonly rule: JwtRule;
  readonly source: KeySource;
}

/** The JWT rules of some RequestAuthentications of a rule set (all, if not said), in order; files as seen from where the user stands. */
export function placedRules(
  { requestAuthentications }: RuleSet,
  folder: string,
  indexes: readonly number[] = [...requestAuthentications.keys()],
): readonly PlacedRule[] {
  return indexes.flatMap((index) => {
    const { namespace, name, jwtRules } = requestAuthentications[index]!;
    return jwtRules.map((rule): PlacedRule => {
      const origin = { ...rule.origin, file: pathFrom(folder, rule.origin.file) };
      const policy = `${namespace}/${name}`;
      const source = keySourceOf(rule);
      const named =
        source.kind === "inline" ? { ...source, name: `${policy} (${origin.file}:${origin.line})` } : source;
      return { policy, origin, rule, source: named };
    });
  });
}

/** The sources of rules, each once, with the rules that name it. */
export function sourcesOf(
  rules: readonly PlacedRule[],
): readonly { readonly source: KeySource; readonly rules: readonly PlacedRule[] }[] {
  const byId = new Map<string, { source: KeySource; rules: PlacedRule[] }>();
  for (const rule of rules) {
    const known = byId.get(rule.source.id);
    if (known === undefined) byId.set(rule.source.id, { source: rule.source, rules: [rule] });
    else known.rules.push(rule);
  }
  return [...byId.values()];
}
