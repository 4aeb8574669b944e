import { FALSE, type Truth, UNSURE } from "../kleene.ts";
import type { AskedRequest } from "./asked-request.ts";
import type { RuleConditions } from "./compile-expressions.ts";
import type { ConditionFaultCode } from "./fault-codes.ts";

/**
 * A body that is true or unsure, and then its conditions, in the author's order: Kleene's AND. One that has no value is unsure. The first
 * of them is noted when the rule ends unsure by it; if another is false, it did not matter.
 */
export function testConditions(id: number, conditions: RuleConditions, body: Truth, asked: AskedRequest): Truth {
  const known = asked.known(id);
  if (known !== undefined) return known;
  let result = body;
  let code: ConditionFaultCode | undefined;
  for (const { compiled } of conditions) {
    const one = compiled.evaluate(asked.facts);
    if (one.value === undefined) {
      result = UNSURE;
      code ??= one.fault.code;
    } else if (!one.value) {
      asked.keep(id, FALSE);
      return FALSE;
    }
  }
  if (code !== undefined) asked.note(id, code);
  asked.keep(id, result);
  return result;
}
