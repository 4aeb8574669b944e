import type { StoreClock, Timers } from "#identity/key-sources/remote-source";

/** A clock and timers that go only when they are told to. */
export interface FakeTime extends StoreClock, Timers {
  /** Lets time pass, timer by timer, each with everything that follows from it. */
  advance(millis: number): Promise<void>;
  /** Moves the wall clock alone. */
  jump(millis: number): void;
  /** Timers that wait. */
  pending(): number;
}

interface Timer {
  readonly at: number;
  readonly run: () => void;
}

/** Lets everything run that waits for nothing but its turn. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 3; i++) await new Promise((resolve) => setImmediate(resolve));
}

export function createFakeTime(startMillis = Date.UTC(2030, 0, 1)): FakeTime {
  const timers = new Set<Timer>();
  let passed = 0;
  let jumped = 0;
  const earliest = (until: number): Timer | undefined =>
    [...timers].filter(({ at }) => at <= until).sort((a, b) => a.at - b.at)[0];
  return {
    nowMillis: () => startMillis + passed + jumped,
    monotonicMillis: () => passed,
    after(delayMillis, run) {
      const timer = { at: passed + delayMillis, run };
      timers.add(timer);
      return () => timers.delete(timer);
    },
    async advance(millis) {
      const until = passed + millis;
      await settle();
      for (let timer = earliest(until); timer !== undefined; timer = earliest(until)) {
        timers.delete(timer);
        passed = Math.max(passed, timer.at);
        timer.run();
        await settle();
      }
      passed = until;
    },
    jump(millis) {
      jumped += millis;
    },
    pending: () => timers.size,
  };
}
