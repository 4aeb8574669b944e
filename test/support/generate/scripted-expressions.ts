import type { ExpressionCompiler } from "#authz/engine/conditions/compile-expressions";
import type { ConditionFault, ConditionResult } from "#policy-compiler/conditions/contract";
import type { Expression, RuleExtension } from "#policy-compiler/ruleset/model";

const results: Readonly<Record<string, ConditionResult>> = {
  yes: { value: true },
  no: { value: false },
  unknown: { fault: { code: "condition/unknown-attribute", attribute: "source.ip" } },
  error: { fault: { code: "condition/error", library: "no_such_key" } },
  huge: { fault: { code: "condition/too-large", attribute: "request.headers" } },
  number: { fault: { code: "condition/no-bool" } },
};

/** A compiler whose expressions are words that say what they come to (`yes 1`: as `yes`); it counts what was compiled and evaluated. */
export function scriptedExpressions() {
  const compiled: string[] = [];
  const evaluated: string[] = [];
  const shape = { cost: 1, attributes: [] };
  const unread = (text: string) => ({
    ok: false as const,
    fault: { code: "condition/syntax" as const, start: 0, end: text.length, message: "no such word" },
  });
  const compiler: ExpressionCompiler = {
    condition(text, { beforeTokens }) {
      const result = results[text.split(" ")[0]!];
      if (result === undefined || (beforeTokens && text.includes("claims"))) return unread(text);
      compiled.push(text);
      const evaluate = () => {
        evaluated.push(text);
        return result;
      };
      const trace = () => [{ start: 0, end: text.length, depth: 0, shown: String(result.value) }];
      return { ok: true, condition: { text, ...shape, evaluate, trace } };
    },
    value(text) {
      const faults: Readonly<Record<string, ConditionFault>> = Object.fromEntries(
        Object.entries(results).flatMap(([word, one]) => (one.value === undefined ? [[word, one.fault]] : [])),
      );
      if (text === "broken") return unread(text);
      compiled.push(text);
      const fault = faults[text];
      return {
        ok: true,
        value: { text, ...shape, evaluate: () => (fault === undefined ? { value: text } : { fault }) },
      };
    },
  };
  return { compiler, compiled, evaluated };
}

export function expression(text: string): Expression {
  return { text, origin: { file: "policies.yaml", line: 1, column: 1 } };
}

/** The extension of a rule with these conditions, and perhaps an answer. */
export function extension(
  conditions: readonly string[],
  more: Partial<Omit<RuleExtension, "conditions">> = {},
): RuleExtension {
  return { conditions: conditions.map(expression), denyResponse: undefined, allowResponse: undefined, ...more };
}
