import type { RequestAttributes } from "./attributes.ts";
import { AskedRequest } from "./conditions/asked-request.ts";
import type { CustomMatch } from "./contract.ts";
import { lowestCustom, providerOf } from "./custom-matches.ts";
import type { Candidates } from "./lookup/candidates.ts";
import type { PreparedIndex } from "./lookup/prepared-index.ts";
import { counts } from "./outcome.ts";
import { type RuleTable, stageNumber } from "./rule-table.ts";
import type { PreparedView } from "./view.ts";

/** What the CUSTOM stage works with beside its arguments. */
export interface CustomTools {
  readonly table: RuleTable;
  readonly customHttp: PreparedIndex;
  readonly customTcp: PreparedIndex;
  readonly candidates: Candidates;
}

/** The smallest matching rule of each provider, by the index. */
export function matchCustom(
  { table, customHttp, customTcp, candidates }: CustomTools,
  view: PreparedView,
  request: RequestAttributes,
): readonly CustomMatch[] {
  const asked = new AskedRequest(request, view.workload, "custom");
  const lowest = new Map<string, number>();
  if (view.customProviders.length === 0) return lowestCustom(table, asked, lowest);
  (request.http === undefined ? customTcp : customHttp).collect(view, request, candidates);
  for (let i = 0; i < candidates.size; i++) {
    const id = candidates.ids[i]!;
    const provider = providerOf(table, id, request);
    if (provider === undefined || (lowest.get(provider) ?? id) < id) continue;
    const result = table.test(id, asked);
    if (result !== undefined && counts(stageNumber.custom, result)) lowest.set(provider, id);
  }
  return lowestCustom(table, asked, lowest);
}
