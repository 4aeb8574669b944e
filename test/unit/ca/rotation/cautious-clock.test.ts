import assert from "node:assert/strict";
import { test } from "node:test";
import { createCautiousClock } from "#ca/rotation/cautious-clock";

const hour = 3_600_000;

/** A wall clock and a monotonic one that the test moves. */
function clocks() {
  const at = { wall: 100 * hour, monotonic: 5 };
  const cautious = createCautiousClock({ nowMillis: () => at.wall, monotonicMillis: () => at.monotonic });
  const pass = (millis: number, jumpMillis = 0) => {
    at.wall += millis + jumpMillis;
    at.monotonic += millis;
    return cautious() - 100 * hour;
  };
  return { pass };
}

test("time passes as the machine's clock says", () => {
  const { pass } = clocks();
  assert.equal(pass(0), 0);
  assert.equal(pass(hour), hour);
  assert.equal(pass(hour, 400), 2 * hour + 400, "as a clock is set by others");
});

test("T12: a clock that jumps ahead is believed two hours later, and at once when it is set right", () => {
  const { pass } = clocks();
  assert.equal(pass(0, hour), 0);
  assert.equal(pass(hour), hour);
  assert.equal(pass(0, -hour), hour, "it was a mistake");
  assert.equal(pass(0, hour), hour);
  assert.equal(pass(2 * hour - 1), 3 * hour - 1);
  assert.equal(pass(1), 4 * hour, "it was none");
});

test("T12: a clock that goes back is believed at once", () => {
  const { pass } = clocks();
  assert.equal(pass(hour, -hour), 0);
  assert.equal(pass(hour), hour);
});
