import { compileCondition, compileValue } from "#policy-compiler/conditions/compile";
import { limits } from "#policy-compiler/conditions/limits";
import type { Expression, ResponseValue, RuleExtension, RuleSet } from "#policy-compiler/ruleset/model";
import { printable } from "#policy-compiler/source/render";

/** What one evaluation of an expression costs at worst, in nodes of its tree that are visited. */
export interface ExpressionCost {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly expression: string;
  readonly cost: number;
}

/** The cost above which an expression is refused. */
export const costBound: number = limits.cost;

/** The expressions of a rule set, conditions and values, in the order of the rules. */
export function expressionCosts({ policies, rules }: Pick<RuleSet, "policies" | "rules">): readonly ExpressionCost[] {
  return rules.flatMap(({ policy, extension }) => {
    if (extension === undefined) return [];
    const place = { beforeTokens: policies[policy]!.stage === "custom" };
    const conditions = extension.conditions.map((expression) => {
      const compiled = compileCondition(expression.text, place);
      return costOf(expression, compiled.ok ? compiled.condition.cost : undefined);
    });
    const values = valuesOf(extension).map((expression) => {
      const compiled = compileValue(expression.text, place);
      return costOf(expression, compiled.ok ? compiled.value.cost : undefined);
    });
    return [...conditions, ...values];
  });
}

function valuesOf({ denyResponse, allowResponse }: RuleExtension): readonly Expression[] {
  const values: ResponseValue[] = [
    ...(denyResponse?.headers ?? []).map(([, value]) => value),
    ...(denyResponse?.body === undefined ? [] : [denyResponse.body]),
    ...[allowResponse?.requestHeaders, allowResponse?.responseHeaders, allowResponse?.dynamicMetadata]
      .flatMap((fields) => fields ?? [])
      .map(([, value]) => value),
  ];
  return values.flatMap((value) => (value.kind === "cel" ? [value.expression] : []));
}

function costOf({ text, origin }: Expression, cost: number | undefined): ExpressionCost {
  if (cost === undefined) throw new Error("an expression of a compiled rule set does not compile");
  return { ...origin, expression: text, cost };
}

/** For people: one line on the costliest, and with `all` a line on each, the costliest first. Empty without expressions. */
export function renderCosts(costs: readonly ExpressionCost[], all: boolean): string {
  const sorted = costs.toSorted((a, b) => b.cost - a.cost);
  const [costliest] = sorted;
  if (costliest === undefined) return "";
  const summary = `expressions: ${costs.length}, costliest ${costliest.cost} of ${costBound} at ${placeOf(costliest)}\n`;
  if (!all) return summary;
  const width = String(costliest.cost).length;
  const lines = sorted.map(
    (each) => `${String(each.cost).padStart(width + 2)}  ${placeOf(each)}  ${cut(each.expression)}\n`,
  );
  return summary + lines.join("");
}

function placeOf({ file, line, column }: ExpressionCost): string {
  return printable(`${file}:${line}:${column}`);
}

const longest = 60;

function cut(expression: string): string {
  const line = printable(expression.replaceAll(/\s+/g, " "));
  return line.length <= longest ? line : `${line.slice(0, longest - 1)}…`;
}
