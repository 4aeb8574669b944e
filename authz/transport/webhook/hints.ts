import type { Timers } from "#platform/timers";

/** Hints that there may be something new. */
export interface Hints {
  give(): void;
  stop(): void;
}

/** Passes hints on at once, but not more often than every `gapMillis`: those that come sooner are one, at the end of the gap. */
export function createHints(gapMillis: number, timers: Timers, pass: () => void): Hints {
  let cancel: (() => void) | undefined;
  let waiting = false;
  const rest = () => {
    cancel = timers.after(gapMillis, () => {
      cancel = undefined;
      if (!waiting) return;
      waiting = false;
      rest();
      pass();
    });
  };
  return {
    give() {
      if (cancel !== undefined) {
        waiting = true;
        return;
      }
      rest();
      pass();
    },
    stop: () => cancel?.(),
  };
}
