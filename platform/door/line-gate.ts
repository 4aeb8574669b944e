import { systemTimers, type Timers } from "#platform/timers";

/** Keeps strangers from filling the log. */
export interface LineGate {
  /** May a line be written now? `leftOut`: how many were not since the last one. Undefined: no. */
  pass(): { readonly leftOut: number } | undefined;
}

/** Lets so many lines through in a second, the first of it, and counts the others: for lines that somebody can cause who has proved nothing. */
export function createLineGate(perSecond: number, timers: Timers = systemTimers): LineGate {
  let passed = 0;
  let leftOut = 0;
  return {
    pass() {
      if (passed >= perSecond) {
        leftOut++;
        return undefined;
      }
      if (passed === 0) {
        timers.after(1000, () => {
          passed = 0;
        });
      }
      passed++;
      const told = { leftOut };
      leftOut = 0;
      return told;
    },
  };
}
