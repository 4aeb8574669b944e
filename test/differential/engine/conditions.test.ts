import assert from "node:assert/strict";
import { test } from "node:test";
import { createEngine } from "#authz/engine/create-engine";
import type { Decision } from "#authz/engine/decision";
import { decodeRuleSet, encodeRuleSet } from "#policy-compiler/ruleset/codec";
import { request, workload } from "#test/support/generate/requests";
import { ruleSet } from "#test/support/generate/rule-sets";
import { Random, runsFromEnvironment, testSeed } from "#test/support/random";

const REQUESTS_PER_SET = 50;

function told({ visited: _, ...decision }: Decision) {
  return decision;
}

test("conditions and answers come out alike by the index, without it, and from bytes; explanations agree", () => {
  const random = new Random(testSeed("conditions"));
  const runs = runsFromEnvironment(10_000);
  const seen = { byOwnRule: 0, faults: 0, custom: 0, answered: 0, explained: 0 };
  for (let done = 0; done < runs; ) {
    const set = ruleSet(random);
    const decoded = decodeRuleSet(encodeRuleSet(set));
    assert.ok(decoded.ok);
    const indexed = createEngine(set, "digest", { scanUpTo: random.pick([0, 8]) });
    const others = [
      createEngine(decoded.ruleSet, "digest", { scanUpTo: 0 }),
      createEngine(decoded.ruleSet, "digest", { index: false }),
    ];
    const workloads = Array.from({ length: 4 }, () => workload(random));
    for (let i = 0; i < REQUESTS_PER_SET && done < runs; i++, done++) {
      const asked = request(random);
      const subject = workloads[i % workloads.length]!;
      const view = indexed.view(subject);
      const decision = indexed.decide(view, asked);
      const custom = indexed.matchCustom(view, asked);
      const answer = decision.rule && indexed.respond(view, decision.rule, asked);
      for (const engine of others) {
        const its = engine.view(subject);
        assert.deepEqual(told(engine.decide(its, asked)), told(decision));
        assert.deepEqual(engine.matchCustom(its, asked), custom);
        assert.deepEqual(decision.rule && engine.respond(its, decision.rule, asked), answer);
      }
      const { decision: explained, nearest } = indexed.explain(view, asked);
      assert.deepEqual(told(explained), told(decision));
      const { rule } = decision;
      if (rule !== undefined) {
        // Law 2, for the rule that decided: what a person reads is what was decided by.
        const results = indexed.explainConditions(view, rule, asked).map(({ result }) => result);
        assert.ok(!results.includes("false"), JSON.stringify(results));
        if (decision.outcome === "allow") assert.ok(!results.includes("unknown"));
        const told = decision.conditionFaults.some((fault) => fault.rule.id === rule.id);
        assert.equal(told, results.includes("unknown"));
        if (results.length > 0) seen.explained++;
      }
      if (nearest.some(({ conditions }) => conditions.length > 0)) seen.explained++;
      if (rule?.key.startsWith("garita-") === true) seen.byOwnRule++;
      if (decision.conditionFaults.length > 0) seen.faults++;
      if (custom.some(({ fault }) => fault !== undefined)) seen.custom++;
      if (answer !== undefined) seen.answered++;
    }
  }
  if (runs >= 5_000) {
    assert.ok(seen.byOwnRule > runs / 50 && seen.faults > runs / 50 && seen.custom > 0, JSON.stringify(seen));
    assert.ok(seen.answered > runs / 500 && seen.explained > runs / 50, JSON.stringify(seen));
  }
  console.log(`${runs} pairs`, seen);
});
