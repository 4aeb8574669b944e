import assert from "node:assert/strict";
import { test } from "node:test";
import { durationSeconds, momentText, spanText, stampText } from "#cli/ca/duration";

test("durations are whole numbers of one unit", () => {
  for (const [text, seconds] of [
    ["90s", 90],
    ["30m", 1800],
    ["72h", 259_200],
    ["7d", 604_800],
    ["3650d", 315_360_000],
  ] as const) {
    assert.equal(durationSeconds(text), seconds);
  }
  for (const text of ["", "0s", "1", "h", "1.5h", "-1h", "1 h", "1h30m", "3651d", "9999999999s", "1w"]) {
    assert.throws(() => durationSeconds(text), /expected a duration/, text);
  }
});

test("spans are told in their two largest units", () => {
  const second = 1000;
  for (const [millis, text] of [
    [0, "0 s"],
    [999, "0 s"],
    [59 * second, "59 s"],
    [60 * second, "1 m"],
    [3_661 * second, "1 h 1 m"],
    [86_400 * second + 5 * second, "1 d"],
    [(3 * 86_400 + 4 * 3600 + 5 * 60) * second, "3 d 4 h"],
    [-61 * second, "1 m 1 s"],
  ] as const) {
    assert.equal(spanText(millis), text);
  }
});

test("moments are stamps with how far they are", () => {
  const now = Date.UTC(2030, 0, 1);
  assert.equal(momentText(now + 90_000, now), "2030-01-01T00:01:30Z (in 1 m 30 s)");
  assert.equal(momentText(now - 90_000, now), "2029-12-31T23:58:30Z (1 m 30 s ago)");
  assert.equal(stampText(8.64e15 + 1), "8640000000000001 ms");
});
