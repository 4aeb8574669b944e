/** Time as the program sees it; tests step it. */
export interface Clock {
  /** Milliseconds since the epoch. May jump. */
  nowMillis(): number;
  /** Milliseconds since some moment in the past. Never goes back; has a fraction. */
  monotonicMillis(): number;
}

/** The machine's clock. */
export const systemClock: Clock = {
  nowMillis: () => Date.now(),
  monotonicMillis: () => performance.now(),
};
