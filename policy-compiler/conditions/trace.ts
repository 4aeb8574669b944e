import type { Facts, TracedExpression } from "./contract.ts";

export function traceExpression(_text: string, _facts: Facts): readonly TracedExpression[] {
  return [];
}
