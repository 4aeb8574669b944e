import type { RequestAttributes } from "./attributes.ts";
import { AskedRequest } from "./conditions/asked-request.ts";
import type { Decision } from "./decision.ts";
import type { Candidates } from "./lookup/candidates.ts";
import type { PreparedIndex } from "./lookup/prepared-index.ts";
import { counts, decisionOf, type LowestMatches } from "./outcome.ts";
import { type RuleTable, stageNumber } from "./rule-table.ts";
import type { PreparedView } from "./view.ts";

/** What a decision works with beside its arguments. `lowest` and `candidates` are scratch, filled anew each time. */
export interface DecideTools {
  readonly table: RuleTable;
  readonly http: PreparedIndex;
  readonly tcp: PreparedIndex;
  readonly candidates: Candidates;
  readonly lowest: LowestMatches;
}

/**
 * AUDIT, DENY, ALLOW with their dry-run stages, by the index. The candidates come in no order; of each stage the smallest id
 * that matches counts. ALLOW rules are asked last, and not at all after a DENY match, which hides them.
 */
export function decide(tools: DecideTools, view: PreparedView, request: RequestAttributes): Decision {
  const { table, candidates, lowest } = tools;
  (request.http === undefined ? tools.tcp : tools.http).collect(view, request, candidates);
  const asked = new AskedRequest(request, view.workload, "policies");
  lowest.fill(-1);
  let visited = 0;
  for (let i = 0; i < candidates.size; i++) {
    const id = candidates.ids[i]!;
    if (!isAllowing(table.stages[id]!)) visited += ask(table, id, asked, lowest);
  }
  if (lowest[stageNumber.deny]! < 0) {
    for (let i = 0; i < candidates.size; i++) {
      const id = candidates.ids[i]!;
      if (isAllowing(table.stages[id]!)) visited += ask(table, id, asked, lowest);
    }
  }
  return decisionOf(table, view, asked, lowest, visited);
}

function isAllowing(stage: number): boolean {
  return stage === stageNumber.allow || stage === stageNumber.dryRunAllow;
}

/** Returns how many rules were asked: 0 when a smaller one has matched already. */
function ask(table: RuleTable, id: number, asked: AskedRequest, lowest: LowestMatches): 0 | 1 {
  const stage = table.stages[id]!;
  const best = lowest[stage]!;
  if (best >= 0 && best < id) return 0;
  const result = table.test(id, asked);
  if (result === undefined) return 0;
  if (counts(stage, result)) lowest[stage] = id;
  return 1;
}
