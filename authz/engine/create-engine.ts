import type { RuleSet } from "#policy-compiler/ruleset/model";
import { finish } from "#policy-compiler/ruleset/steps";
import { celExpressions } from "./conditions/cel-expressions.ts";
import { type CompiledExpressions, compileExpressions } from "./conditions/compile-expressions.ts";
import { type CheckedEngine, createEngineInSteps, type EngineOptions } from "./engine-in-steps.ts";

export type { CheckedEngine, EngineOptions };

/**
 * Makes a rule set ready for decisions. `digest` is what the caller says of its bytes. Cost: linear in the rule set's index, and its
 * expressions are compiled; rules are compiled when a request first comes near them. An expression that this program cannot read has no value
 * (law 2). Views belong to the engine that made them: one of another engine is taken for its workload alone.
 */
export function createEngine(
  ruleSet: RuleSet,
  digest: string,
  options: EngineOptions & { readonly expressions?: CompiledExpressions } = {},
): CheckedEngine {
  const expressions = options.expressions ?? finish(compileExpressions(ruleSet, celExpressions));
  return finish(createEngineInSteps(ruleSet, digest, expressions, options));
}
