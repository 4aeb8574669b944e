import type { ExplainedCondition } from "../decision.ts";
import type { RuleTable } from "../rule-table.ts";
import type { AskedRequest } from "./asked-request.ts";

/** Every condition of a rule and what it came to, in the author's order. Slow. */
export function explainConditions(table: RuleTable, id: number, asked: AskedRequest): readonly ExplainedCondition[] {
  return table.conditions(id).map(({ compiled, expression }) => {
    const one = compiled.evaluate(asked.facts);
    const fault = one.value === undefined ? one.fault : undefined;
    return {
      text: expression.text,
      origin: expression.origin,
      result: one.value === undefined ? "unknown" : one.value ? "true" : "false",
      fault: fault?.code,
      attribute: fault !== undefined && "attribute" in fault ? fault.attribute : undefined,
      trace: compiled.trace(asked.facts),
    };
  });
}
