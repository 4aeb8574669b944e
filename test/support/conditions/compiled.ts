import assert from "node:assert/strict";
import { compileCondition } from "#policy-compiler/conditions/compile";
import type { CompiledCondition, ConditionResult, ExpressionFault, Facts } from "#policy-compiler/conditions/contract";

/** The condition of a text that compiles. */
export function compiled(text: string): CompiledCondition {
  const result = compileCondition(text, { beforeTokens: false });
  assert.ok(result.ok, result.ok ? "" : `${text}: ${result.fault.code} ${result.fault.message}`);
  return result.condition;
}

/** What is wrong with a text that does not compile, with the part that is underlined. */
export function faultOf(text: string, beforeTokens = false): ExpressionFault & { readonly underlined: string } {
  const result = compileCondition(text, { beforeTokens });
  assert.ok(!result.ok, `${text} compiles`);
  return { ...result.fault, underlined: text.slice(result.fault.start, result.fault.end) };
}

/** `true`, `false`, or the code of the fault, with its attribute or the library's code. */
export function outcomeOf(text: string, facts: Facts): boolean | string {
  const result: ConditionResult = compiled(text).evaluate(facts);
  if (result.value !== undefined) return result.value;
  const { fault } = result;
  if ("attribute" in fault) return `${fault.code} ${fault.attribute}`;
  return "library" in fault ? `${fault.code} ${fault.library}` : fault.code;
}
