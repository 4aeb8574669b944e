import { hash } from "node:crypto";

/** So many in a second in the long run, and so many at once after a silence. Both are at least 1. */
export interface Rate {
  readonly perSecond: number;
  readonly burst: number;
}

export type RateAnswer =
  | { readonly ok: true }
  /** Asked again after this time, and nobody else with the same name in between, it would be let through. */
  | { readonly ok: false; readonly retryAfterMillis: number };

export interface RateLimiterParts {
  /** Asked each time: a change counts from the next request on. */
  readonly rate: () => Rate;
  readonly monotonicMillis: () => number;
  /** So many random bytes, that nobody can foresee. */
  readonly random: (sizeBytes: number) => Uint8Array;
  /** Buckets in each row, a power of two. Undefined: 65,536, which is 2 MiB in all. */
  readonly slots?: number;
}

/** Counts requests by name. */
export interface RateLimiter {
  /** Counts one request of this name, unless it is over the rate: what is refused costs nothing. */
  take(name: string): RateAnswer;
}

const rows = 4;
const defaultSlots = 65_536;
/** Sums of fractions are not exact. */
const toleranceMillis = 0.001;

/**
 * Token buckets by name, each as the time at which it is full again (the generic cell rate algorithm), in memory of a fixed size.
 *
 * No table by name is kept, because each way to bound one is a way to attack it: a table that forgets is emptied of everybody's debts by whoever has enough
 * addresses, one that does not is full, and then strangers are refused or let through at large. Here a name has one bucket in each of four rows, at places
 * that a secret of the process decides, and owes the least of the four. So nothing grows, nothing is forgotten before it is paid, and a client is hindered by others
 * only where all its buckets are shared with clients over their rate: with a thousand of those at once for one client in twenty millions, with ten thousand for one
 * in two thousand. To hinder everybody somebody would have to keep most of 65,536 buckets over the rate: more requests in a second than there are answers.
 *
 * Cost: one short hash.
 */
export function createRateLimiter({
  rate,
  monotonicMillis,
  random,
  slots = defaultSlots,
}: RateLimiterParts): RateLimiter {
  if (slots < 1 || (slots & (slots - 1)) !== 0) throw new Error("the number of buckets is a power of two");
  const secret = Buffer.from(random(16)).toString("base64url");
  const fullAtMillis = new Float64Array(rows * slots).fill(Number.NEGATIVE_INFINITY);
  const placeIn = (row: number, digest: Buffer) => row * slots + (digest.readUInt32LE(4 * row) & (slots - 1));
  return {
    take(name) {
      const { perSecond, burst } = rate();
      const intervalMillis = 1000 / perSecond;
      const now = monotonicMillis();
      const digest = hash("sha256", secret + name, "buffer");
      let least = Number.POSITIVE_INFINITY;
      for (let row = 0; row < rows; row++) least = Math.min(least, fullAtMillis[placeIn(row, digest)]!);
      const full = Math.max(now, least) + intervalMillis;
      const excessMillis = full - now - burst * intervalMillis;
      if (excessMillis > toleranceMillis) return { ok: false, retryAfterMillis: Math.ceil(excessMillis) };
      for (let row = 0; row < rows; row++) {
        const place = placeIn(row, digest);
        // A bucket that owes more stays as it is: that is another's debt.
        fullAtMillis[place] = Math.max(fullAtMillis[place]!, full);
      }
      return { ok: true };
    },
  };
}
