import { compileCondition, compileValue } from "#policy-compiler/conditions/compile";
import { selfTestInSteps } from "#policy-compiler/conditions/self-test";
import type { ExpressionCompiler } from "./compile-expressions.ts";

/** How expressions are read. PERF: brings the library, which rule sets without expressions do without. */
export const celExpressions: ExpressionCompiler = {
  condition: compileCondition,
  value: compileValue,
  begin: selfTestInSteps,
};
