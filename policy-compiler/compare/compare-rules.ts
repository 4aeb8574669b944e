import type { AuthorizationPolicy } from "#policy-compiler/document/model";
import { stageOf } from "#policy-compiler/lower/lower-policies";
import type { Span } from "#policy-compiler/source/diagnostic";
import { compareFields, type FieldChange } from "./compare-fields.ts";
import { type Consequence, ruleConsequence } from "./consequences.ts";
import { describeRule } from "./describe-policy.ts";
import { renderNode } from "./field-tree.ts";
import { matchItems, type Pair } from "./match-items.ts";
import { ruleWidth } from "./rule-width.ts";

interface PlacedRule {
  readonly ordinal: number;
  readonly span: Span;
}

/** A rule that came, went or changed, with its places as spans. */
export interface SpannedRuleChange {
  readonly kind: "added" | "removed" | "changed";
  readonly before: PlacedRule | undefined;
  readonly after: PlacedRule | undefined;
  readonly text: string | undefined;
  readonly fields: readonly FieldChange[];
  readonly consequence: Consequence | undefined;
}

export interface ComparedRules {
  readonly changes: readonly SpannedRuleChange[];
  /** Ordinals of rules that say the same and stand elsewhere. */
  readonly renumbered: readonly (readonly [before: number, after: number])[];
}

/**
 * Which rules of a policy came, went, changed, or have another ordinal; rules are matched by what they say. `trustDomains`: the mesh's own, then its
 * aliases, in the later state.
 */
export function compareRules(
  before: AuthorizationPolicy,
  after: AuthorizationPolicy,
  trustDomains: readonly string[],
): ComparedRules {
  const pairs = matchItems(before.rules.map(describeRule), after.rules.map(describeRule));
  const renumbered = pairs.flatMap((pair) =>
    pair.before !== undefined && pair.after !== undefined && pair.equal && pair.before !== pair.after
      ? [[pair.before, pair.after] as const]
      : [],
  );
  return { changes: pairs.flatMap((pair) => changeOf(pair, before, after, trustDomains) ?? []), renumbered };
}

function changeOf(
  pair: Pair,
  before: AuthorizationPolicy,
  after: AuthorizationPolicy,
  trustDomains: readonly string[],
): SpannedRuleChange | undefined {
  const old = pair.before === undefined ? undefined : before.rules[pair.before]!;
  const now = pair.after === undefined ? undefined : after.rules[pair.after]!;
  const placed = {
    before: old && { ordinal: pair.before!, span: old.span },
    after: now && { ordinal: pair.after!, span: now.span },
  };
  const stage = stageOf(after);
  const isComparable = stage === stageOf(before);
  if (old === undefined || now === undefined) {
    const kind = old === undefined ? "added" : "removed";
    const consequence = isComparable ? ruleConsequence(stage, kind) : undefined;
    return { kind, ...placed, text: renderNode(describeRule((old ?? now)!)), fields: [], consequence };
  }
  const fields = compareFields(describeRule(old), describeRule(now), `spec.rules[${pair.after}]`);
  if (fields.length === 0) return undefined;
  const consequence = isComparable ? ruleConsequence(stage, ruleWidth(old, now, { stage, trustDomains })) : undefined;
  return { kind: "changed", ...placed, text: undefined, fields, consequence };
}
