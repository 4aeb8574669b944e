import assert from "node:assert/strict";
import { test } from "node:test";
import { compileField } from "#authz/engine/field";
import { fieldTest } from "#test/support/generate/fields";
import { request } from "#test/support/generate/requests";
import { naiveField } from "#test/support/oracle/naive-field";
import { Random, runsFromEnvironment, testSeed } from "#test/support/random";

const truth = (result: boolean | undefined) => (result === undefined ? 1 : result ? 2 : 0);

test("every field says what its regular expressions say", () => {
  const random = new Random(testSeed("fields and regular expressions"));
  const runs = runsFromEnvironment(100_000);
  const counts = [0, 0, 0];
  for (let i = 0; i < runs / 20; i++) {
    const { field } = fieldTest(random);
    const compiled = compileField(field);
    for (let j = 0; j < 20; j++) {
      const asked = request(random);
      const result = compiled.test(asked);
      assert.equal(result, truth(naiveField(field, asked)), JSON.stringify({ field, asked }, null, 1));
      counts[result]!++;
    }
  }
  assert.ok(
    counts.every((count) => count > runs / 100),
    `false, unsure, true: ${counts}`,
  );
});
