import assert from "node:assert/strict";
import { test } from "node:test";
import { FALSE, TRUE, UNSURE } from "#authz/engine/kleene";
import { testJoined } from "#authz/engine/leaves/header-lines";
import { templateMatcher } from "#policy-compiler/ruleset/patterns/path-template";

test("a joined text is looked through up to 128 commas, and unsure beyond", () => {
  for (const op of ["exact", "prefix", "suffix"] as const) {
    for (const piece of ["a", ""]) {
      const text = (commas: number) => Array.from({ length: commas + 1 }, () => piece).join(",");
      assert.equal(testJoined({ op, text: "admin" }, text(128)), FALSE);
      assert.equal(testJoined({ op, text: "admin" }, text(129)), UNSURE);
      assert.equal(testJoined({ op, text: "admin,user" }, text(129)), UNSURE);
    }
  }
  assert.equal(testJoined({ op: "present" }, ",".repeat(1000)), TRUE);
  assert.equal(testJoined({ op: "prefix", text: "a" }, `a${",".repeat(1000)}`), TRUE);
});

test("what is remembered of one path does not count for another", () => {
  const one = templateMatcher(["/", "/b"], ["*"]);
  const any = templateMatcher(["/", "/z"], ["**"]);
  const table: readonly (readonly [path: string, one: boolean, any: boolean])[] = [
    ["/a/b", true, false],
    ["/a|/b", false, false],
    ["/a/b", true, false],
    ["/|/z", false, false],
    ["/a/|z/z", false, false],
    ["/a/c/z", false, true],
    ["//b", false, false],
    ["//z", false, true],
    ["/z", false, false],
    ["/a/b|", false, false],
    ["|/a/b", false, false],
  ];
  for (const [path, wantedOne, wantedAny] of [...table, ...table.toReversed()]) {
    assert.deepEqual([path, one(path), any(path)], [path, wantedOne, wantedAny]);
  }
});
