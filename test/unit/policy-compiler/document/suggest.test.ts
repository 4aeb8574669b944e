import assert from "node:assert/strict";
import { test } from "node:test";
import { suggest } from "#policy-compiler/document/suggest";

const known = ["paths", "notPaths", "listeners", "to", "from", "decisionLog"];

for (const [text, meant] of [
  ["path", "paths"],
  ["NotPaths", "notPaths"],
  ["notpath", "notPaths"],
  ["LISTNERS", "listeners"],
  ["form", "from"],
  ["tp", "to"],
  // The whole word would be another one.
  ["xy", undefined],
  ["decisions", undefined],
  ["", undefined],
] as const) {
  test(`\`${text}\` is taken for ${meant === undefined ? "no word" : `\`${meant}\``}`, () => {
    assert.equal(suggest(text, known), meant);
  });
}

test("of two that are equally near the first is meant", () => {
  assert.equal(suggest("pathz", ["paths", "pathy"]), "paths");
});
