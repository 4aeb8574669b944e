import assert from "node:assert/strict";
import { test } from "node:test";
import { Queue } from "#platform/queue";
import { Random, testSeed } from "#test/support/random";

test("first in, first out, as a list does", () => {
  const random = new Random(testSeed("queue"));
  const queue = new Queue<number>();
  const list: number[] = [];
  for (let i = 0; i < 10_000; i++) {
    if (random.below(2) === 0) {
      queue.push(i);
      list.push(i);
    } else assert.equal(queue.shift(), list.shift());
    assert.equal(queue.size, list.length);
  }
});
