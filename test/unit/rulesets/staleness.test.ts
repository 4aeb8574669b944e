import assert from "node:assert/strict";
import { test } from "node:test";
import { watchStaleness } from "#authz/rulesets/staleness";
import { handTimers } from "#test/support/rulesets/hand-timers";

const maxStaleMillis = 600_000;
const day = 86_400_000;

/** An age that is watched, by a clock that can be put back and ahead. */
function watched(maximum = maxStaleMillis) {
  const time = handTimers();
  let offMillis = 0;
  let heard = 0;
  const now = () => time.clock.nowMillis() + offMillis;
  const staleness = watchStaleness({ maxStaleMillis: maximum, reaction: "deny" }, time.timers, now, () => heard++);
  return { time, now, staleness, heard: () => heard, put: (millis: number) => (offMillis = millis) };
}

test("rules become stale after their time, also when the clock is put back meanwhile", () => {
  for (const maximum of [maxStaleMillis, 60 * day]) {
    const { time, now, staleness, heard, put } = watched(maximum);
    put(365 * day);
    staleness.confirm(now());
    put(0);
    for (let i = 1; i < 60; i++) time.step(maximum / 60);
    time.step(maximum / 60 - 1);
    assert.deepEqual([staleness.sinceMillis(), heard()], [undefined, 0]);
    time.step(1);
    assert.deepEqual([staleness.sinceMillis(), heard()], [now(), 1]);
    staleness.confirm(now());
    assert.equal(staleness.sinceMillis(), undefined, "and are not when they are found the newest again");
  }
});

test("rules become stale at once when the clock is put ahead", () => {
  const { now, staleness, put } = watched();
  staleness.confirm(now());
  put(day);
  assert.equal(staleness.sinceMillis(), now() - day + maxStaleMillis);
});

test("word of a later moment is believed a little, and not when it is of a clock that was far ahead", () => {
  const { time, now, staleness } = watched();
  staleness.confirm(now() + 299_000);
  assert.equal(staleness.sinceMillis(), undefined);
  time.step(maxStaleMillis);
  assert.equal(staleness.sinceMillis(), now(), "it makes nothing younger than new");
  staleness.confirm(now() + day);
  assert.equal(staleness.sinceMillis(), now());
});

test("rules that time has made stale stay it when the clock is put back afterwards", () => {
  const { time, now, staleness, put } = watched();
  staleness.confirm(now());
  const begun = now();
  for (let i = 0; i < 10; i++) time.step(maxStaleMillis / 10);
  put(-day);
  assert.equal(staleness.sinceMillis(), begun + maxStaleMillis);
});

test("a clock that is put ahead is heard of within a minute, and once", () => {
  const { time, now, staleness, heard, put } = watched(60 * day);
  staleness.confirm(now());
  put(61 * day);
  for (let i = 0; i < 3; i++) time.step(60_000);
  assert.equal(heard(), 1);
});

test("rules that expire have no more time than was left when they were last the newest, by a clock that was put back since too", () => {
  const time = handTimers();
  const staleness = watchStaleness(undefined, time.timers, time.clock.nowMillis, () => undefined);
  const confirmed = time.clock.nowMillis() + 10 * day;
  staleness.confirm(confirmed, confirmed + day);
  time.step(day - 1);
  assert.equal(staleness.sinceMillis(), undefined);
  time.step(1);
  assert.ok(staleness.haveExpired());
  staleness.confirm(confirmed, confirmed);
  assert.ok(staleness.haveExpired());
});
