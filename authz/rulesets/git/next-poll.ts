/** Failures are not asked about more often than polls, and no more seldom than this, where polls are not more seldom themselves. */
const longestMillis = 10 * 60 * 1000;
const jitter = 0.1;

/**
 * How long to wait before Git is asked again: `pollMillis`, twice as long after each failure in a row up to ten minutes, and up to a tenth more or less, so
 * that services do not ask at once. `random`: from 0 to 1.
 */
export function nextPollMillis(pollMillis: number, failures: number, random: () => number): number {
  const backedOff = Math.min(pollMillis * 2 ** Math.min(failures, 20), Math.max(pollMillis, longestMillis));
  return Math.round(backedOff * (1 + jitter * (2 * random() - 1)));
}
