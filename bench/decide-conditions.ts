import type { RequestAttributes } from "#authz/engine/attributes";
import type { WorkloadView } from "#authz/engine/contract";
import { type CheckedEngine, createEngine } from "#authz/engine/create-engine";
import { buildIndexes } from "#policy-compiler/index/build";
import type { Rule, RuleSet } from "#policy-compiler/ruleset/model";
import { cpuMicros, median } from "./cpu.ts";
import { generateRules } from "./generate-rules.ts";

/** What one condition on one rule adds to a decision, in nanoseconds of CPU time. */
export interface ConditionCost {
  readonly what: string;
  readonly addedNanos: number;
  /** Bar. */
  readonly most: number;
}

const RULES = 1000;
const ROUNDS = 15;
const CALLS = 20_000;

/** Each is asked of every request by one more rule, a DENY rule that holds for none of them; without a condition the rule is there too. */
const conditions = [
  {
    what: "a condition of two comparisons",
    most: 1000,
    text: 'request.method == "TRACE" || request.path == "/nowhere"',
  },
  {
    what: "two comparisons, one of a header",
    most: 1000,
    text: 'request.headers["user-agent"] != "bench/1" || request.method == "TRACE"',
  },
  {
    what: "a condition with `matches`",
    most: 3000,
    text: 'request.path.matches("^/api/v[0-9]+/[a-z]+[0-9]+/nothing$")',
  },
] as const;

/** Without the condition the rule is asked, too, and its body is false: what is added is the condition and what it needs alone. */
export function conditionCosts(): readonly ConditionCost[] {
  const generated = generateRules("mesh", RULES, 1000);
  const { ruleSet, workload, requests } = generated;
  const plain = subject(ruleSet, workload, undefined);
  const asked = conditions.map(({ text }) => subject(ruleSet, workload, text));
  const added: number[][] = conditions.map(() => []);
  for (let round = 0; round <= ROUNDS; round++) {
    for (const [i, one] of asked.entries()) {
      const difference = time(one, requests) - time(plain, requests);
      // The first round warms up.
      if (round > 0) added[i]!.push(difference);
    }
  }
  return conditions.map(({ what, most }, i) => ({ what, addedNanos: median(added[i]!), most }));
}

interface Subject {
  readonly engine: CheckedEngine;
  readonly view: WorkloadView;
}

function subject(
  ruleSet: Omit<RuleSet, "index">,
  workload: WorkloadView["workload"],
  text: string | undefined,
): Subject {
  const origin = { file: "bench.yaml", line: 1, column: 1 };
  const policy = ruleSet.policies.length;
  const any = { to: [], from: [], when: [] };
  const expression = { text: text ?? "", origin };
  const extension = { conditions: [expression], denyResponse: undefined, allowResponse: undefined };
  const never = { ...any, when: [neverField] };
  const rule: Rule = { policy, ordinal: 0, origin, http: any, tcp: any };
  const added: Rule = text === undefined ? { ...rule, http: never } : { ...rule, extension };
  const whole: Omit<RuleSet, "index"> = {
    ...ruleSet,
    policies: [
      ...ruleSet.policies,
      {
        family: "garita",
        namespace: ruleSet.mesh.rootNamespace,
        name: "bench",
        stage: "deny",
        provider: undefined,
        attachment: { kind: "selector", labels: [] },
        origin,
      },
    ],
    rules: [...ruleSet.rules, added],
  };
  // The rule stands among those that are asked always, with the condition and without.
  const index = buildIndexes({ ...whole, rules: [...ruleSet.rules, rule] });
  const engine = createEngine({ ...whole, index }, "bench");
  return { engine, view: engine.view(workload) };
}

const neverField = {
  field: "methods",
  attribute: { kind: "method" },
  values: [{ kind: "text", test: { op: "exact", text: "NONE" } }],
  notValues: [],
  texts: ["NONE"],
  notTexts: [],
} as const;

/** What was decided, so that no decision can be left out. */
let visitedInAll = 0;

function time({ engine, view }: Subject, requests: readonly RequestAttributes[]): number {
  const start = cpuMicros();
  for (let i = 0; i < CALLS; i++) visitedInAll += engine.decide(view, requests[i % requests.length]!).visited;
  if (visitedInAll === 0) throw new Error("no rule was asked");
  return ((cpuMicros() - start) * 1000) / CALLS;
}
