import assert from "node:assert/strict";
import { test } from "node:test";
import { createEngine } from "#authz/engine/create-engine";
import type { Decision } from "#authz/engine/decision";
import { request, workload } from "#test/support/generate/requests";
import { ruleSet } from "#test/support/generate/rule-sets";
import { Random, runsFromEnvironment, testSeed } from "#test/support/random";

const REQUESTS_PER_SET = 100;

/** Everything that a decision says but how many rules it asked. */
function told({ visited: _, ...decision }: Decision) {
  return decision;
}

test("index, linear walk and explanation decide alike", () => {
  const random = new Random(testSeed("index and linear"));
  const runs = runsFromEnvironment(100_000);
  const seen = { matched: 0, custom: 0, tcp: 0, unsure: 0, fewer: 0 };
  for (let done = 0; done < runs; ) {
    const set = ruleSet(random);
    const engine = createEngine(set, "digest", { scanUpTo: random.pick([0, 8]) });
    const workloads = Array.from({ length: 5 }, () => workload(random));
    for (let i = 0; i < REQUESTS_PER_SET && done < runs; i++, done++) {
      const asked = request(random);
      const view = engine.view(workloads[i % workloads.length]!);
      const decision = engine.decide(view, asked);
      const linear = engine.decideLinear(view, asked);
      assert.deepEqual(told(decision), told(linear));
      const custom = engine.matchCustom(view, asked);
      assert.deepEqual(custom, engine.matchCustomLinear(view, asked));
      if (i % 4 === 0) {
        const explanation = engine.explain(view, asked);
        assert.deepEqual(told(explanation.decision), told(decision));
        if (explanation.unknown.length > 0) seen.unsure++;
      }
      if (decision.rule !== undefined) seen.matched++;
      if (custom.length > 0) seen.custom++;
      if (asked.http === undefined) seen.tcp++;
      if (decision.visited < linear.visited) seen.fewer++;
    }
  }
  // The generator has to reach what the comparison is about.
  if (runs >= 10_000) {
    assert.ok(seen.matched > runs / 20 && seen.custom > runs / 100 && seen.tcp > runs / 10, JSON.stringify(seen));
    assert.ok(seen.unsure > runs / 200 && seen.fewer > runs / 50, JSON.stringify(seen));
  }
  console.log(`${runs} pairs`, seen);
});
