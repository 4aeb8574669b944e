import assert from "node:assert/strict";
import { test } from "node:test";
import { createRandomPool } from "#platform/random-pool";

/** Bytes that count up, so that one which comes twice is seen. */
function counting() {
  let next = 0;
  const draws: number[] = [];
  const random = (sizeBytes: number) => {
    draws.push(sizeBytes);
    return Uint8Array.from({ length: sizeBytes }, () => next++);
  };
  return { random, draws };
}

test("bytes come out of whole blocks, none of them twice", () => {
  const { random, draws } = counting();
  const pool = createRandomPool(random, 16);
  const all = [6, 6, 6, 10, 0, 16].flatMap((sizeBytes) => [...pool(sizeBytes)]);
  assert.deepEqual(draws, [16, 16, 16]);
  assert.equal(new Set(all).size, 44);
});

test("what is larger than a block is drawn by itself", () => {
  const { random, draws } = counting();
  const pool = createRandomPool(random, 16);
  assert.equal(pool(17).length, 17);
  assert.deepEqual(draws, [17]);
});

test("what was given out is not kept", () => {
  const block = new Uint8Array(16).fill(7);
  const pool = createRandomPool(() => block, 16);
  const taken = pool(16);
  taken.fill(9);
  // The source's own block is not the pool's: nobody else writes into that.
  assert.deepEqual([...new Set(block)], [7]);
  assert.deepEqual([...new Set(pool(16))], [7]);
});
