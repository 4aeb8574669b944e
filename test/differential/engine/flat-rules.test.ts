import assert from "node:assert/strict";
import { test } from "node:test";
import type { RequestAttributes } from "#authz/engine/attributes";
import { compileField } from "#authz/engine/field";
import { and, FALSE, or, TRUE, type Truth } from "#authz/engine/kleene";
import { BodyCompiler, testBody } from "#authz/engine/rule-body";
import type { FieldTest, RuleBody } from "#policy-compiler/ruleset/model";
import { fieldTest } from "#test/support/generate/fields";
import { request } from "#test/support/generate/requests";
import { Random, runsFromEnvironment, testSeed } from "#test/support/random";

/** any(to) and any(from) and all(when), by the fields' own predicates. */
function plain({ to, from, when }: RuleBody, asked: RequestAttributes): Truth {
  const all = (fields: readonly FieldTest[]) =>
    fields.map((field) => compileField(field).test(asked)).reduce(and, TRUE as Truth);
  const any = (entries: RuleBody["to"]) => (entries.length === 0 ? TRUE : entries.map(all).reduce(or, FALSE as Truth));
  return and(and(any(to), any(from)), all(when));
}

test("a rule laid flat says what its fields say one by one", () => {
  const random = new Random(testSeed("flat rules"));
  const runs = runsFromEnvironment(60_000);
  const counts = [0, 0, 0];
  const kinds = new Set<string>();
  const list = <T>(most: number, make: () => T): T[] => Array.from({ length: random.int(0, most) }, make);
  const field = () => {
    const made = fieldTest(random).field;
    kinds.add(made.attribute.kind);
    return made;
  };
  for (let i = 0; i < runs / 20; i++) {
    // Mostly one group of one or two fields, so that not every body is false.
    const body: RuleBody = {
      to: list(2, () => list(2, field)),
      from: random.chance(0.3) ? list(2, () => list(1, field)) : [],
      when: random.chance(0.3) ? list(2, field) : [],
    };
    const flat = new BodyCompiler().body(body);
    for (let j = 0; j < 20; j++) {
      const asked = request(random);
      const result = testBody(flat, asked);
      assert.equal(result, plain(body, asked), JSON.stringify({ body, asked }, null, 1));
      counts[result]!++;
    }
  }
  assert.ok(
    counts.every((count) => count > runs / 100),
    `false, unsure, true: ${counts}`,
  );
  for (const kind of ["host", "method", "path", "header", "identity"]) assert.ok(kinds.has(kind), kind);
});
