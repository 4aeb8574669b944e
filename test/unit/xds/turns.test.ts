import assert from "node:assert/strict";
import { test } from "node:test";
import { createTurns } from "#xds/server/turns";

test("work is done once however often it is asked for, in its order, a part of it in each turn", () => {
  const scheduled: (() => void)[] = [];
  const turns = createTurns((run) => void scheduled.push(run));
  const done: number[] = [];
  const works = Array.from({ length: 1_200 }, (_, i) => () => void done.push(i));
  for (const work of [...works, ...works]) turns.add(work);
  const counts: number[] = [];
  while (scheduled.length > 0) {
    assert.equal(scheduled.length, 1);
    scheduled.shift()!();
    counts.push(done.length);
  }
  assert.deepEqual(counts, [512, 1_024, 1_200]);
  assert.deepEqual(done, [...works.keys()]);
});

test("what is asked for while it is done is done again, and what is forgotten is not", () => {
  const scheduled: (() => void)[] = [];
  const turns = createTurns((run) => void scheduled.push(run));
  let times = 0;
  const work = () => {
    if (++times < 3) turns.add(work);
  };
  turns.add(work);
  while (scheduled.length > 0) scheduled.shift()!();
  assert.equal(times, 3);
  turns.add(work);
  turns.clear();
  while (scheduled.length > 0) scheduled.shift()!();
  assert.equal(times, 3);
});
