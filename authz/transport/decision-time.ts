/**
 * How long a decision may take whose caller waits for so long yet, in milliseconds; `limitMillis` is the listener's own limit. The answer has to
 * leave before the caller gives up: a tenth of its time, at least a millisecond, is kept for the way back.
 */
export function decisionMillis(leftMillis: number, limitMillis: number): number {
  const left = Math.max(0, leftMillis);
  return Math.min(limitMillis, Math.max(0, left - Math.max(1, left / 10)));
}
