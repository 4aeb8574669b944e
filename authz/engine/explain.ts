import type { RequestAttributes } from "./attributes.ts";
import { ExplainedRequest } from "./conditions/asked-request.ts";
import type { Explanation } from "./decision.ts";
import { decideLinear } from "./linear.ts";
import { nearestRules } from "./nearest.ts";
import type { RuleTable } from "./rule-table.ts";
import { unknownAttributes } from "./unknowns.ts";
import type { PreparedView } from "./view.ts";

/** Law 7: the decision of the linear walk, and what a person wants to know about it. Cost: linear in the rules. */
export function explain(table: RuleTable, view: PreparedView, request: RequestAttributes): Explanation {
  const asked = new ExplainedRequest(request, view.workload, "policies");
  const decision = decideLinear(table, view, request, asked);
  return {
    decision,
    applied: view.policies().map((index) => {
      const { family, stage, namespace, name, origin } = table.ruleSet.policies[index]!;
      return { ...(family && { family }), stage, namespace, name, origin };
    }),
    authentications: view.requestAuthentications.map((index) => {
      const { namespace, name, origin } = table.ruleSet.requestAuthentications[index]!;
      return { namespace, name, origin };
    }),
    nearest: decision.reason === "policy/not-allowed" ? nearestRules(table, view, asked) : [],
    unknown: unknownAttributes(table, view, asked),
  };
}
