import type { RequestAttributes } from "./attributes.ts";
import { AskedRequest } from "./conditions/asked-request.ts";
import type { CustomMatch } from "./contract.ts";
import { lowestCustom, providerOf } from "./custom-matches.ts";
import type { Decision } from "./decision.ts";
import { counts, decisionOf, noMatches } from "./outcome.ts";
import { type RuleTable, stageNumber } from "./rule-table.ts";
import type { PreparedView } from "./view.ts";

/** `decide` by asking every rule in turn: the plain version that the index is checked against, and the one without it. */
export function decideLinear(
  table: RuleTable,
  view: PreparedView,
  request: RequestAttributes,
  asked = new AskedRequest(request, view.workload, "policies"),
): Decision {
  const lowest = noMatches();
  let visited = 0;
  for (let id = 0; id < table.size; id++) {
    if (!view.hasRule(id)) continue;
    const stage = table.stages[id]!;
    if (stage === stageNumber.custom || lowest[stage]! >= 0) continue;
    const result = table.test(id, asked);
    if (result === undefined) continue;
    visited++;
    if (counts(stage, result)) lowest[stage] = id;
  }
  return decisionOf(table, view, asked, lowest, visited);
}

/** `matchCustom` by asking every rule in turn. */
export function matchCustomLinear(
  table: RuleTable,
  view: PreparedView,
  request: RequestAttributes,
): readonly CustomMatch[] {
  const asked = new AskedRequest(request, view.workload, "custom");
  const lowest = new Map<string, number>();
  for (let id = 0; id < table.size; id++) {
    if (!view.hasRule(id) || table.stages[id] !== stageNumber.custom) continue;
    const provider = providerOf(table, id, request);
    if (provider === undefined || lowest.has(provider)) continue;
    const result = table.test(id, asked);
    if (result !== undefined && counts(stageNumber.custom, result)) lowest.set(provider, id);
  }
  return lowestCustom(table, asked, lowest);
}
