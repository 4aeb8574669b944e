import assert from "node:assert/strict";
import { test } from "node:test";
import type { Engine } from "#authz/engine/contract";
import { prepareEngineInSlices } from "#authz/rulesets/prepare";
import { prepareEngine } from "#authz/rulesets/prepare-at-once";
import { encodeRuleSet } from "#policy-compiler/ruleset/codec";
import type { RuleExtension, RuleSet } from "#policy-compiler/ruleset/model";
import { body, policy } from "#test/support/generate/policies";
import { http, request, workload } from "#test/support/generate/requests";
import { assemble, ruleSet } from "#test/support/generate/rule-sets";
import { expression, extension } from "#test/support/generate/scripted-expressions";
import { Random, testSeed } from "#test/support/random";

test("without the index every rule is asked, and every answer is the same", async () => {
  const random = new Random(testSeed("prepared rules"));
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

test("bytes with an expression that does not compile are refused, and no rule is taken without its condition", async () => {
  const rule = (text: string, more: Partial<RuleExtension> = {}) => {
    const draft = policy("own", "deny", [], { family: "garita" });
    return assemble([{ ...draft, bodies: [{ http: body(), tcp: body(), extension: extension([text], more) }] }]);
  };
  const answer = {
    status: 401,
    headers: [["x-a", { kind: "cel", expression: expression("1") }]],
    body: undefined,
  } as const;
  const refused: readonly [name: string, set: RuleSet][] = [
    ["syntax", rule("request.path ==")],
    ["another version's function", rule("request.path.frobnicate()")],
    ["no bool", rule("request.path")],
    ["an answer that is no text", rule("true", { denyResponse: answer })],
    [
      "a header that no answer sets",
      rule("true", { denyResponse: { ...answer, headers: [["host", { kind: "text", text: "a" }]] } }),
    ],
  ];
  for (const [name, set] of refused) {
    const bytes = encodeRuleSet(set);
    const fault = { code: "ruleset/damaged", message: /garita-ns\[foo\]-policy\[own\]-rule\[0\]/ };
    assert.throws(() => prepareEngine(bytes, "d"), fault, name);
    await assert.rejects(
      prepareEngineInSlices(bytes, "d", () => 0),
      fault,
      name,
    );
  }
  const bytes = encodeRuleSet(rule('request.path == "/a"'));
  for (const engine of [prepareEngine(bytes, "d"), await prepareEngineInSlices(bytes, "d", () => 0)]) {
    const view = engine.view({
      namespace: "foo",
      name: "app",
      labels: new Map(),
      kind: "sidecar",
      gateway: undefined,
      service: undefined,
    });
    const outcomes = ["/a", "/b"].map((path) => engine.decide(view, http({ path })).outcome);
    assert.deepEqual(outcomes, ["deny", "allow"]);
  }
});
