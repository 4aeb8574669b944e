import { compileExpressions, type ExpressionCompiler } from "#authz/engine/conditions/compile-expressions";
import type { Engine } from "#authz/engine/contract";
import { createEngineInSteps, type EngineOptions } from "#authz/engine/engine-in-steps";
import { CodedError } from "#platform/coded-error";
import { collectingOften } from "#platform/heap";
import { inSlices } from "#platform/in-slices";
import { decodeRuleSetInSteps } from "#policy-compiler/ruleset/codec";
import type { RuleSet } from "#policy-compiler/ruleset/model";
import type { Steps } from "#policy-compiler/ruleset/steps";

/** Whether decisions look rules up or ask every one. Changes no decision. */
export type PrepareOptions = Pick<EngineOptions, "index">;

/**
 * An engine out of the bytes of a rule set, in slices between which the event loop answers requests. Fails with `ruleset/damaged`, also
 * when a rule has an expression that is none here.
 */
export async function prepareEngineInSlices(
  bytes: Uint8Array,
  digest: string,
  nowMillis: () => number,
  options: PrepareOptions = {},
): Promise<Engine> {
  return collectingOften(async () => {
    const ruleSet = await inSlices(readRuleSet(bytes), nowMillis);
    // PERF: the library of expressions takes some 40 ms to load.
    const compiler = saysExpressions(ruleSet)
      ? (await import("#authz/engine/conditions/cel-expressions")).celExpressions
      : readsNone;
    return inSlices(prepare(ruleSet, digest, compiler, options), nowMillis);
  });
}

/** A rule set out of its bytes. Fails with `ruleset/damaged`. */
export function* readRuleSet(bytes: Uint8Array): Steps<RuleSet> {
  const decoded = yield* decodeRuleSetInSteps(bytes);
  if (!decoded.ok) throw new CodedError("ruleset/damaged", `the compiled rules are damaged: ${decoded.fault}`);
  return decoded.ruleSet;
}

/** An engine of a rule set. Fails with `ruleset/damaged`, if a rule has an expression that `compiler` does not take. */
export function* prepare(
  ruleSet: RuleSet,
  digest: string,
  compiler: ExpressionCompiler,
  options: PrepareOptions,
): Steps<Engine> {
  const expressions = yield* compileExpressions(ruleSet, compiler);
  const [unfit] = expressions.unfit;
  if (unfit !== undefined) {
    throw new CodedError("ruleset/damaged", `the compiled rules are not for this version: ${unfit.rule}: ${unfit.why}`);
  }
  return yield* createEngineInSteps(ruleSet, digest, expressions, options);
}

function saysExpressions({ rules }: RuleSet): boolean {
  return rules.some(({ extension }) => extension !== undefined);
}

const unread = {
  ok: false,
  fault: { code: "condition/not-allowed", start: 0, end: 0, message: "no expression was expected" },
} as const;
const readsNone: ExpressionCompiler = { condition: () => unread, value: () => unread };
