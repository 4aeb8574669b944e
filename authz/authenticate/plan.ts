import { toByteString } from "#policy-compiler/ruleset/byte-string";
import type { ByteString, JwtRule } from "#policy-compiler/ruleset/model";
import type { AuthenticationPlan, CreatePlan } from "./contract.ts";
import { compareBytes, PreparedProvider } from "./provider.ts";

/** A plan with what all its providers together look at: a request that has none of it has no token. */
export class PreparedPlan implements AuthenticationPlan {
  readonly providers: readonly PreparedProvider[];
  readonly outputHeaders: readonly ByteString[];
  readonly headers: readonly ByteString[];
  readonly parameters: ReadonlySet<ByteString>;
  readonly cookies: ReadonlySet<ByteString>;

  /** ORDER: `rules` stand in the order in which they are tried. */
  constructor(rules: readonly JwtRule[]) {
    this.providers = rules.map((rule, index) => new PreparedProvider(rule, index));
    this.outputHeaders = [...new Set(this.providers.flatMap((provider) => provider.outputHeaders))];
    this.headers = [...new Set(this.providers.flatMap(({ headers }) => headers.map(({ name }) => name)))];
    this.parameters = new Set(this.providers.flatMap((provider) => provider.parameters));
    this.cookies = new Set(this.providers.flatMap((provider) => provider.cookies));
  }
}

/**
 * Rules in the order in which they were gathered, made ready. ORDER: Istio sorts by the bytes of the issuer; rules of one issuer keep their
 * order. Cost: linear in the rules, but for the sort.
 */
export const createPlan: CreatePlan = (rules) => {
  if (rules.length === 0) return undefined;
  const keyed = rules.map((rule) => ({ rule, issuer: toByteString(rule.issuer) }));
  keyed.sort((a, b) => compareBytes(a.issuer, b.issuer));
  return new PreparedPlan(keyed.map(({ rule }) => rule));
};

/** The plan itself where `createPlan` made it, else one made of its rules. */
export function preparePlan(plan: AuthenticationPlan): PreparedPlan {
  return plan instanceof PreparedPlan ? plan : new PreparedPlan(plan.providers.map(({ rule }) => rule));
}
