import type { RuleSet } from "#policy-compiler/ruleset/model";
import type { Steps } from "#policy-compiler/ruleset/steps";
import type { RequestAttributes, Workload } from "./attributes.ts";
import { AskedRequest } from "./conditions/asked-request.ts";
import type { CompiledExpressions } from "./conditions/compile-expressions.ts";
import { explainConditions } from "./conditions/explain-conditions.ts";
import { respond } from "./conditions/respond.ts";
import type { CustomMatch, Engine, WorkloadView } from "./contract.ts";
import { decide } from "./decide.ts";
import type { Decision, Explanation, RuleRef } from "./decision.ts";
import { explain } from "./explain.ts";
import { decideLinear, matchCustomLinear } from "./linear.ts";
import { Candidates } from "./lookup/candidates.ts";
import { indexSlots, PreparedIndex } from "./lookup/prepared-index.ts";
import { matchCustom } from "./match-custom.ts";
import { noMatches } from "./outcome.ts";
import { RuleTable, stageNumber } from "./rule-table.ts";
import { PreparedView } from "./view.ts";
import { ViewCache } from "./view-cache.ts";

/** How an engine looks rules up. Nothing here changes a decision. */
export interface EngineOptions {
  /** False: every decision asks every rule (`--no-index`). Changes nothing but the time that a decision takes. */
  readonly index?: boolean;
  /** Up to this many applying rules are asked without looking them up (8). Changes nothing but time, too. */
  readonly scanUpTo?: number;
}

/** An engine that can be asked without its index too. */
export interface CheckedEngine extends Engine {
  /** `decide` without the index: equal in everything but `visited`. */
  decideLinear(view: WorkloadView, request: RequestAttributes): Decision;
  /** `matchCustom` without the index. */
  matchCustomLinear(view: WorkloadView, request: RequestAttributes): readonly CustomMatch[];
}

/**
 * PERF: with a handful of rules closures beat every look-up (`bench/decide.ts`, 10 rules).
 */
const SCAN_UP_TO = 8;

/** Views may take about this much memory together; each holds a bit for every rule, and some hundred bytes. */
const VIEWS_BYTES = 32 * 2 ** 20;
const VIEW_BYTES = 2048;

/**
 * Makes a rule set ready for decisions in short steps, for a thread that has requests to answer meanwhile. `digest` is what the caller says of its bytes,
 * `expressions` what `compileExpressions` made of it. Cost: linear in the rule set's index; rules are compiled when a request first comes near them. Views
 * belong to the engine that made them: one of another engine is taken for its workload alone.
 */
export function* createEngineInSteps(
  ruleSet: RuleSet,
  digest: string,
  expressions: CompiledExpressions,
  options: EngineOptions = {},
): Steps<CheckedEngine> {
  const table = yield* RuleTable.prepare(ruleSet, expressions);
  const views = new ViewCache(viewLimit(table.size), (workload: Workload) => new PreparedView(table, workload));
  const own = (view: WorkloadView): PreparedView =>
    view instanceof PreparedView && view.table === table ? view : views.get(view.workload);
  const engine = {
    ruleSet,
    digest,
    view: (workload: Workload): WorkloadView => views.get(workload),
    decideLinear: (view: WorkloadView, request: RequestAttributes) => decideLinear(table, own(view), request),
    matchCustomLinear: (view: WorkloadView, request: RequestAttributes) => matchCustomLinear(table, own(view), request),
    respond: (view: WorkloadView, rule: RuleRef, request: RequestAttributes) =>
      respond(table, own(view), rule, request),
    explain: (view: WorkloadView, request: RequestAttributes): Explanation => explain(table, own(view), request),
    explainConditions: (view: WorkloadView, { id }: RuleRef, request: RequestAttributes) =>
      explainConditions(table, id, askedOf(table, own(view), id, request)),
  };
  if (options.index === false) {
    return { ...engine, decide: engine.decideLinear, matchCustom: engine.matchCustomLinear };
  }
  const { http, tcp, customHttp, customTcp } = ruleSet.index;
  const scanUpTo = options.scanUpTo ?? SCAN_UP_TO;
  const tools = {
    table,
    http: yield* PreparedIndex.prepare(http, indexSlots.http, scanUpTo),
    tcp: yield* PreparedIndex.prepare(tcp, indexSlots.tcp, scanUpTo),
    customHttp: yield* PreparedIndex.prepare(customHttp, indexSlots.customHttp, scanUpTo),
    customTcp: yield* PreparedIndex.prepare(customTcp, indexSlots.customTcp, scanUpTo),
    candidates: new Candidates(table.size),
    lowest: noMatches(),
  };
  return {
    ...engine,
    decide: (view: WorkloadView, request: RequestAttributes) => decide(tools, own(view), request),
    matchCustom: (view: WorkloadView, request: RequestAttributes) => matchCustom(tools, own(view), request),
  };
}

function askedOf(table: RuleTable, view: PreparedView, id: number, request: RequestAttributes): AskedRequest {
  const at = table.stages[id] === stageNumber.custom ? "custom" : "policies";
  return new AskedRequest(request, view.workload, at);
}

function viewLimit(rules: number): number {
  return Math.max(64, Math.floor(VIEWS_BYTES / (VIEW_BYTES + rules / 8)));
}
