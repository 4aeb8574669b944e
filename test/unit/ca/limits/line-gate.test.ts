import assert from "node:assert/strict";
import { test } from "node:test";
import { createLineGate } from "#ca/limits/line-gate";

test("so many lines of a second are written, and the next one tells how many were not", () => {
  let now = 5_000;
  const gate = createLineGate({ perSecond: 3, monotonicMillis: () => now });
  const pass = (count: number) => Array.from({ length: count }, () => gate.pass()?.leftOut);
  assert.deepEqual(pass(5), [0, 0, 0, undefined, undefined]);
  now += 999;
  assert.deepEqual(pass(1), [undefined]);
  now += 1;
  assert.deepEqual(pass(4), [3, 0, 0, undefined]);
  now += 60_000;
  assert.deepEqual(pass(2), [1, 0]);
});
