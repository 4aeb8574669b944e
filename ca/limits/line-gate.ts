export interface LineGateParts {
  /** At least 1. */
  readonly perSecond: number;
  readonly monotonicMillis: () => number;
}

/** Keeps strangers from filling the log. */
export interface LineGate {
  /** May a line be written now? `leftOut`: how many were not since the last one. Undefined: no. */
  pass(): { readonly leftOut: number } | undefined;
}

/** Lets so many lines through in a second, the first of it, and counts the others: for lines that somebody can cause who has proved nothing. */
export function createLineGate({ perSecond, monotonicMillis }: LineGateParts): LineGate {
  let beganMillis = Number.NEGATIVE_INFINITY;
  let passed = 0;
  let leftOut = 0;
  return {
    pass() {
      const nowMillis = monotonicMillis();
      if (nowMillis - beganMillis >= 1000) {
        beganMillis = nowMillis;
        passed = 0;
      }
      if (passed >= perSecond) {
        leftOut++;
        return undefined;
      }
      passed++;
      const told = { leftOut };
      leftOut = 0;
      return told;
    },
  };
}
