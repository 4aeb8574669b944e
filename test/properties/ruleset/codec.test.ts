import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { decodeRuleSet, encodeRuleSet } from "#policy-compiler/ruleset/codec";
import type { FieldTest, RuleSet, ValueTest } from "#policy-compiler/ruleset/model";
import { testSeed } from "#test/support/random";
import { anyRuleSet } from "#test/support/rule-set-arbitrary";

const seed = testSeed("rule set codec");

function decoded(bytes: Uint8Array): RuleSet {
  const result = decodeRuleSet(bytes);
  assert.ok(result.ok, result.ok ? "" : result.fault);
  return result.ruleSet;
}

function fieldsOf(ruleSet: RuleSet): readonly FieldTest[] {
  return ruleSet.rules.flatMap((rule) =>
    [rule.http, rule.tcp].flatMap((body) =>
      body === undefined ? [] : [...body.to.flat(), ...body.from.flat(), ...body.when],
    ),
  );
}

/** Each JSON text belongs to one object. */
function assertInterned(values: readonly (FieldTest | ValueTest)[]): void {
  const byText = new Map<string, object>();
  for (const value of values) {
    const text = JSON.stringify(value);
    assert.equal(byText.get(text) ?? value, value);
    byText.set(text, value);
  }
}

test(`a rule set comes back equal from its bytes, with equal tests as one object`, () => {
  fc.assert(
    fc.property(anyRuleSet, (ruleSet) => {
      const back = decoded(encodeRuleSet(ruleSet));
      assert.deepStrictEqual(back, ruleSet);
      const fields = fieldsOf(back);
      assertInterned(fields);
      assertInterned(fields.flatMap(({ values, notValues }) => [...values, ...notValues]));
      for (const [i, rule] of ruleSet.rules.entries()) {
        if (rule.tcp === rule.http) assert.equal(back.rules[i]?.tcp, back.rules[i]?.http);
      }
    }),
    { seed, numRuns: 300 },
  );
});

test(`equal rule sets have equal bytes, whatever objects they share`, () => {
  fc.assert(
    fc.property(anyRuleSet, (ruleSet) => {
      const bytes = encodeRuleSet(ruleSet);
      assert.deepEqual(encodeRuleSet(decoded(bytes)), bytes);
      const copy = structuredClone(ruleSet);
      assert.deepEqual(encodeRuleSet(copy), bytes);
    }),
    { seed, numRuns: 200 },
  );
});
