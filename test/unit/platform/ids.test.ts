import assert from "node:assert/strict";
import { test } from "node:test";
import { createIds } from "#platform/ids";

const random = (size: number) => new Uint8Array(size).fill(7);

test("an id has the form of a ULID and begins with its time", () => {
  const next = createIds({ nowMillis: () => 1_469_918_176_385, random });
  assert.match(next(), /^01ARYZ6S41[0-9A-HJKMNP-TV-Z]{16}$/);
});

test("ids of one instance ascend strictly, within a millisecond, across milliseconds and when the clock goes back", () => {
  const times = [5, 5, 5, 6, 4, 4, 6, 7, 1, 8];
  let at = 0;
  const next = createIds({ nowMillis: () => times[at++ % times.length]!, random });
  const ids = Array.from({ length: 1_100_000 }, () => next());
  assert.deepEqual(ids.toSorted(), ids);
  assert.equal(new Set(ids).size, ids.length);
});

test("ids of two instances differ in the same millisecond", () => {
  const [a, b] = [1, 2].map((seed) => createIds({ nowMillis: () => 5, random: (n) => new Uint8Array(n).fill(seed) })());
  assert.notEqual(a, b);
  assert.equal(a!.slice(0, 16), b!.slice(0, 16));
});
