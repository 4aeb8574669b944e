/** After which answers it makes sense to ask again soon: the authority, or the way to it, may be well in a moment. */
const soonCodes: ReadonlySet<number> = new Set([
  1, // CANCELLED
  4, // DEADLINE_EXCEEDED
  8, // RESOURCE_EXHAUSTED
  10, // ABORTED
  13, // INTERNAL
  14, // UNAVAILABLE
]);

/** The pace of each kind of failure: the first wait, doubled up to the longest. `late`: somebody has to change something first. */
const paces = {
  soon: { firstMillis: 1_000, longestMillis: 60_000 },
  late: { firstMillis: 30_000, longestMillis: 300_000 },
} as const;
export type Pace = keyof typeof paces;

/** How soon to ask again after a gRPC status. */
export function paceOf(code: number): Pace {
  return soonCodes.has(code) ? "soon" : "late";
}

/** How long to wait after so many failures in a row, from one on; `chance`, 0 to 1, takes up to a fifth away or adds it. */
export function backOffMillis(pace: Pace, tries: number, chance: number): number {
  const { firstMillis, longestMillis } = paces[pace];
  const millis = Math.min(firstMillis * 2 ** Math.min(tries - 1, 20), longestMillis);
  return millis * (0.8 + 0.4 * chance);
}
