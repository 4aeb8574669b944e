import type { Clock } from "#platform/clock";
import type { Timers } from "#platform/timers";

/** What real programs and locks wait for. */
const shortMillis = 1_000;

/** A clock and timers that stand still until they are stepped. Short timers run by themselves. */
export function handTimers(startMillis = Date.parse("2026-01-01T00:00:00Z")) {
  let now = startMillis;
  const waiting = new Set<{ readonly at: number; readonly run: () => void }>();
  const clock: Clock = { nowMillis: () => now, monotonicMillis: () => performance.now() };
  const timers: Timers = {
    after(delayMillis, run) {
      if (delayMillis <= shortMillis) {
        const timer = setTimeout(run, delayMillis);
        return () => clearTimeout(timer);
      }
      const one = { at: now + delayMillis, run };
      waiting.add(one);
      return () => waiting.delete(one);
    },
  };
  return {
    clock,
    timers,
    /** How long until the next one, in milliseconds. */
    nextMillis: () => Math.min(...[...waiting].map(({ at }) => at - now)),
    step(millis: number) {
      now += millis;
      for (const one of [...waiting].filter(({ at }) => at <= now)) {
        waiting.delete(one);
        one.run();
      }
    },
  };
}
