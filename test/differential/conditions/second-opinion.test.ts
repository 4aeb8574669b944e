import assert from "node:assert/strict";
import { test } from "node:test";
import { compileCondition } from "#policy-compiler/conditions/compile";
import type { Facts } from "#policy-compiler/conditions/contract";
import { makeFacts, requestFacts } from "#test/support/conditions/facts";
import { generateExpression } from "#test/support/conditions/generate-expression";
import { secondOpinion } from "#test/support/conditions/second-opinion";
import { Random, testSeed } from "#test/support/random";

const runs = process.env["GARITA_LONG"] === "1" ? 100_000 : 10_000;

test(`${runs} generated expressions come to what another implementation of CEL makes of them`, () => {
  const seed = testSeed("expressions");
  const random = new Random(seed);
  const outcomes = { true: 0, false: 0, error: 0, refused: 0 };
  const differences: string[] = [];
  for (let run = 0; run < runs; run++) {
    const expression = generateExpression(random);
    const facts = generateFacts(random);
    const compiled = compileCondition(expression, { beforeTokens: false });
    if (!compiled.ok) {
      outcomes.refused++;
      continue;
    }
    const { value } = compiled.condition.evaluate(facts);
    const ours = value === undefined ? "error" : value;
    outcomes[`${ours}`]++;
    const theirs = secondOpinion(expression, facts);
    if (ours !== theirs) differences.push(`run ${run}: ours ${ours}, theirs ${String(theirs)}: ${expression}`);
  }
  assert.deepEqual(differences.slice(0, 5), [], `TEST_SEED=${seed}`);
  // The generator makes what says something: most compiles, and comes to every outcome often.
  assert.ok(outcomes.refused < runs / 4, JSON.stringify(outcomes));
  for (const outcome of ["true", "false", "error"] as const)
    assert.ok(outcomes[outcome] > runs / 20, JSON.stringify(outcomes));
});

/** Requests with every attribute known, some absent. Text is byte strings. */
function generateFacts(random: Random): Facts {
  const texts = ["", "a", "b", "admin", "users", "GET", "7", "\xc3\x84", "\xef\xbc\x80", "a,b"];
  const some = () => random.pick(texts);
  const list = () => Array.from({ length: random.below(4) }, some);
  const claims = {
    sub: random.pick(["alice", "7", "a b", "\xc3\x84"]),
    level: random.pick([0, 1, 3, -2.5, 1e300]),
    groups: list(),
    org: random.pick<object>([{ id: some(), a: 1.5 }, {}, JSON.parse('{ "constructor": "a" }')]),
    mixed: [random.below(3), some(), random.below(2) === 0, null, list(), { a: 1 }],
    nothing: null,
    flag: random.below(2) === 0,
    ...(random.below(4) === 0 ? { missing: some() } : {}),
  };
  return makeFacts({
    request: requestFacts(
      { "x-a": [some(), some()], ...(random.below(2) === 0 ? { "x-b": [some()] } : {}) },
      { method: random.pick(["GET", "POST", "a"]), path: random.pick(["/", "/a", "/users/7", "/\xc3\x84/b"]) },
    ),
    sourcePrincipal: random.pick(["spiffe://cluster.local/ns/web/sa/nginx", undefined]),
    claims: random.below(8) === 0 ? undefined : claims,
    tokens: random.below(3) === 0 ? undefined : [claims, { sub: some() }].slice(0, 1 + random.below(2)),
  });
}
