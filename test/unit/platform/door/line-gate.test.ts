import assert from "node:assert/strict";
import { test } from "node:test";
import { createLineGate } from "#platform/door/line-gate";
import { createFakeTime } from "#test/support/keys/fake-time";

test("so many lines of a second are written, and the next one tells how many were not", async () => {
  const time = createFakeTime();
  const gate = createLineGate(3, time);
  const pass = (count: number) => Array.from({ length: count }, () => gate.pass()?.leftOut);
  assert.deepEqual(pass(5), [0, 0, 0, undefined, undefined]);
  await time.advance(999);
  assert.deepEqual(pass(1), [undefined]);
  await time.advance(1);
  assert.deepEqual(pass(4), [3, 0, 0, undefined]);
  await time.advance(60_000);
  assert.deepEqual(pass(2), [1, 0]);
  assert.equal(time.pending(), 1);
});
