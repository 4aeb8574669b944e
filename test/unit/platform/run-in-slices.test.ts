import assert from "node:assert/strict";
import { test } from "node:test";
import { runInSlices } from "#platform/run-in-slices";

test("work is done to its end, and the event loop turns meanwhile", async () => {
  let turns = 0;
  const turn = setInterval(() => turns++, 0);
  function* work(): Generator<undefined, string, undefined> {
    const begun = performance.now();
    while (performance.now() - begun < 30) yield;
    return "done";
  }
  assert.equal(await runInSlices(work()), "done");
  clearInterval(turn);
  assert.ok(turns > 1);
});

test("what the work throws is a rejection", async () => {
  // biome-ignore lint/correctness/useYield: work that fails in its first step.
  function* work(): Generator<undefined, never, undefined> {
    throw new Error("damaged");
  }
  await assert.rejects(runInSlices(work()), /damaged/);
});
