const form = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d+))?(?:Z|([+-])(\d\d):(\d\d))$/;

/**
 * Unix milliseconds of an RFC 3339 `date-time` (§5.6), every field within its range; digits of a second beyond the third are
 * cut. Undefined for what is none. `T` and `Z` are upper case and no second is the 60th, as in Go's `time.Parse`, with which Istio
 * reads its documents and cel-go its timestamps. DIVERGENCE: what Go takes beyond the RFC is none: a comma before the fraction, an hour of one
 * digit, offsets of 24 hours or 60 minutes. Not `Date.parse`: it takes the 24th hour, and misreads long fractions.
 */
export function parseTimestamp(text: string): number | undefined {
  const match = form.exec(text);
  if (match === null) return undefined;
  const number = (group: number) => Number(match[group] ?? 0);
  const [year, month, day, hour, minute, second] = [number(1), number(2), number(3), number(4), number(5), number(6)];
  const [offsetHour, offsetMinute] = [number(9), number(10)];
  if (hour > 23 || minute > 59 || second > 59 || offsetHour > 23 || offsetMinute > 59) return undefined;
  const millis = Number((match[7] ?? "").slice(0, 3).padEnd(3, "0"));
  // Years below 100 mean others to `Date.UTC`; `setUTCFullYear` takes them as they are.
  const time = new Date(Date.UTC(2000, 0, 1, hour, minute, second, millis));
  time.setUTCFullYear(year, month - 1, day);
  if (time.getUTCMonth() !== month - 1 || time.getUTCDate() !== day) return undefined;
  const offsetMillis = (offsetHour * 60 + offsetMinute) * 60_000;
  return match[8] === "-" ? time.getTime() + offsetMillis : time.getTime() - offsetMillis;
}
