import assert from "node:assert/strict";
import { test } from "node:test";
import { makeAnswer } from "#authz/check/answer";
import { plainAnswer } from "#authz/check/answer-template";
import type { Snapshot } from "#authz/check/contract";
import { refusal } from "#authz/check/refusal";
import { snapshotOfRules } from "#authz/check/snapshot";
import { refuse, type Verdict } from "#authz/check/verdict";
import { encodeCheckResponse } from "#authz/check/wire/encode-check-response";
import { createEngine } from "#authz/engine/create-engine";
import { type DecisionReason, decisionReasons, type RuleRef } from "#authz/engine/decision";
import { compile } from "#policy-compiler/compile";

function rulesOf(digest: string): Snapshot {
  const { ruleSet } = compile([]);
  assert.ok(ruleSet);
  return snapshotOfRules(createEngine(ruleSet, digest));
}

const ids = ["01M8AKYVR3000000S0C3J6MWKR", "01M8AKYVR3000001S0C3J6MWKR", "zzzzzzzzzzzzzzzzzzzzzzzzzz"];
const rule = (id: number): RuleRef => ({
  id,
  key: `ns[a]-policy[p]-rule[${id}]`,
  origin: { file: "a.yaml", line: 1, column: 1 },
});

function verdict(reason: DecisionReason, allowed: boolean, by: RuleRef | undefined): Verdict {
  const refused = refuse(true, refusal(reason));
  if (!allowed) return { ...refused, decision: { ...refused.decision, rule: by } };
  return { ...refused, status: 200, body: "", decision: { ...refused.decision, outcome: "allow", rule: by } };
}

const plain = (of: Verdict, id: string, digest: string, commit?: string) =>
  Buffer.from(encodeCheckResponse(makeAnswer(of, id, { digest, commit }, undefined, { explainToClient: false })));

test("an answer from a template is the encoder's own, for every reason, rule, rule set and id", () => {
  for (const digest of ["a".repeat(64), "0".repeat(64), ""]) {
    const rules = rulesOf(digest);
    for (const reason of Object.keys(decisionReasons) as DecisionReason[]) {
      for (const by of [undefined, rule(0), rule(1)]) {
        for (const allowed of [true, false]) {
          for (const id of ids) {
            const answer = plainAnswer(verdict(reason, allowed, by), id, rules, []);
            assert.ok(answer);
            assert.deepEqual(Buffer.from(answer), plain(verdict(reason, allowed, by), id, digest));
          }
          if (by === undefined) break;
        }
      }
    }
  }
});

test("a rule that decides in one rule set has no part in the answers of another", () => {
  const [first, second] = [rulesOf("1".repeat(64)), rulesOf("2".repeat(64))];
  const allowed = verdict("policy/allowed", true, rule(0));
  plainAnswer(allowed, ids[0]!, first, []);
  assert.deepEqual(Buffer.from(plainAnswer(allowed, ids[1]!, second, [])!), plain(allowed, ids[1]!, "2".repeat(64)));
});

test("two commits with one rule set are told apart", () => {
  const rules = rulesOf("1".repeat(64));
  const allowed = verdict("policy/allowed", true, rule(0));
  for (const commit of ["a".repeat(40), "b".repeat(40)]) {
    const answer = plainAnswer(allowed, ids[0]!, { ...rules, commit }, []);
    assert.deepEqual(Buffer.from(answer!), plain(allowed, ids[0]!, "1".repeat(64), commit));
    assert.ok(Buffer.from(answer!).includes(commit));
  }
});

test("what is not the usual denial, and an id of another length, is encoded by itself", () => {
  const rules = rulesOf("a".repeat(64));
  const odd = refuse(true, refusal("path/invalid", undefined, { status: 400, body: "" }));
  assert.equal(plainAnswer(odd, ids[0]!, rules, []), undefined);
  assert.equal(plainAnswer(verdict("policy/allowed", true, rule(0)), "short", rules, []), undefined);
  const own = { ...verdict("policy/denied", false, rule(0)), answeredByRule: true };
  assert.equal(plainAnswer(own, ids[0]!, rules, []), undefined, "a rule that answers by itself");
});

test("more rules than are kept are answered all the same", () => {
  const rules = rulesOf("a".repeat(64));
  for (let i = 0; i < 10_000; i++) {
    const of = verdict("policy/allowed", true, rule(i));
    const answer = plainAnswer(of, ids[0]!, rules, []);
    if (i % 1000 === 0 || i > 9_990) assert.deepEqual(Buffer.from(answer!), plain(of, ids[0]!, "a".repeat(64)));
  }
});

test("headers that are taken away are part of what makes answers equal", () => {
  const rules = rulesOf("3".repeat(64));
  const allowed = verdict("policy/allowed", true, rule(0));
  for (const removed of [["authorization"], [], ["authorization", "x-sub"], ["x-sub"], ["authorization"]]) {
    for (const id of ids) {
      const made = makeAnswer(allowed, id, rules.engine, undefined, { explainToClient: false });
      const wanted = Buffer.from(encodeCheckResponse({ ...made, removeHeaders: removed }));
      assert.deepEqual(Buffer.from(plainAnswer(allowed, id, rules, removed)!), wanted, removed.join());
    }
  }
  assert.equal(plainAnswer(allowed, ids[0]!, rules, ["no name"]), undefined, "what cannot be written is not an answer");
});
