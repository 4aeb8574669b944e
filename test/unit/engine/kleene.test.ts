import assert from "node:assert/strict";
import { test } from "node:test";
import { and, FALSE, not, or, TRUE, UNSURE } from "#authz/engine/kleene";

const table = [
  // a, b, a and b, a or b
  [FALSE, FALSE, FALSE, FALSE],
  [FALSE, UNSURE, FALSE, UNSURE],
  [FALSE, TRUE, FALSE, TRUE],
  [UNSURE, FALSE, FALSE, UNSURE],
  [UNSURE, UNSURE, UNSURE, UNSURE],
  [UNSURE, TRUE, UNSURE, TRUE],
  [TRUE, FALSE, FALSE, TRUE],
  [TRUE, UNSURE, UNSURE, TRUE],
  [TRUE, TRUE, TRUE, TRUE],
] as const;

for (const [a, b, both, either] of table) {
  test(`Kleene's tables for ${a} and ${b}`, () => {
    assert.equal(and(a, b), both);
    assert.equal(or(a, b), either);
  });
}

test("not mirrors, and leaves unsure as it is", () => {
  assert.deepEqual([not(FALSE), not(UNSURE), not(TRUE)], [TRUE, UNSURE, FALSE]);
});
