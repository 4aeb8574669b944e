import type { Clock } from "#platform/clock";

/** A clock that jumped ahead for a mistake has been set right by then. */
const patienceMillis = 2 * 3_600_000;
/** What clocks are set by without anybody minding. */
const smallMillis = 1_000;

/**
 * The time by which roots are put in force and removed, in milliseconds since the epoch: a wall clock that jumps ahead is believed two hours later, one that goes back at once. Either way what has to wait waits
 * longer, for what is done too early cannot be undone. What the clock says at the beginning is believed.
 */
export function createCautiousClock({ nowMillis, monotonicMillis }: Clock): () => number {
  let offsetMillis = nowMillis() - monotonicMillis();
  let aheadSinceMillis: number | undefined;
  return () => {
    const elapsedMillis = monotonicMillis();
    const seenMillis = nowMillis() - elapsedMillis;
    if (seenMillis <= offsetMillis + smallMillis) {
      offsetMillis = seenMillis;
      aheadSinceMillis = undefined;
    } else {
      aheadSinceMillis ??= elapsedMillis;
      if (elapsedMillis - aheadSinceMillis >= patienceMillis) {
        offsetMillis = seenMillis;
        aheadSinceMillis = undefined;
      }
    }
    return elapsedMillis + offsetMillis;
  };
}
