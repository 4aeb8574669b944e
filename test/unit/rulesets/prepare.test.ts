import assert from "node:assert/strict";
import { test } from "node:test";
import type { Engine } from "#authz/engine/contract";
import { prepareEngine, prepareEngineInSlices } from "#authz/rulesets/prepare";
import { encodeRuleSet } from "#policy-compiler/ruleset/codec";
import { Random, seedFromEnvironment } from "#test/support/generate/random";
import { request, workload } from "#test/support/generate/requests";
import { ruleSet } from "#test/support/generate/rule-sets";

test("without the index every rule is asked, and every answer is the same", async () => {
  const random = new Random(seedFromEnvironment());
  let more = 0;
  for (let i = 0; i < 40; i++) {
    const bytes = encodeRuleSet(ruleSet(random));
    const indexed = prepareEngine(bytes, "d");
    const linear: readonly Engine[] = [
      prepareEngine(bytes, "d", { index: false }),
      await prepareEngineInSlices(bytes, "d", () => 0, { index: false }),
    ];
    for (let j = 0; j < 25; j++) {
      const [subject, asked] = [workload(random), request(random)];
      const { visited, ...decision } = indexed.decide(indexed.view(subject), asked);
      const custom = indexed.matchCustom(indexed.view(subject), asked);
      const explained = indexed.explain(indexed.view(subject), asked);
      for (const engine of linear) {
        const view = engine.view(subject);
        const { visited: all, ...its } = engine.decide(view, asked);
        assert.deepEqual(its, decision);
        assert.deepEqual(engine.matchCustom(view, asked), custom);
        assert.deepEqual(engine.explain(view, asked), explained);
        if (all > visited) more++;
      }
    }
  }
  assert.ok(more > 0, "the index was never used, or never switched off");
});
