import type { ByteString } from "../model.ts";

/** What stands between two literals: at least `min` characters, each of a class. */
export interface Gap {
  readonly min: 0 | 1;
  /** Is there a character of the class at a place? */
  readonly holds: (text: ByteString, at: number) => boolean;
}

/**
 * Does literal, gap, literal, gap … literal match the whole text? Exact for every choice of literals and gaps, by following all
 * places that can be reached: time is bounded by the length of the text times that of the pattern, nothing is tried twice.
 * The leaves use it only where a single pass cannot decide.
 */
export function matchGlobs(text: ByteString, literals: readonly ByteString[], gaps: readonly Gap[]): boolean {
  const size = text.length + 1;
  let reached = new Uint8Array(size);
  const first = literals[0] ?? "";
  if (!text.startsWith(first)) return false;
  reached[first.length] = 1;
  for (let g = 0; g < gaps.length; g++) {
    const gap = gaps[g]!;
    const literal = literals[g + 1] ?? "";
    const inside = new Uint8Array(size);
    const next = new Uint8Array(size);
    let any = false;
    for (let at = 0; at < size; at++) {
      const live = reached[at] === 1 || inside[at] === 1;
      if (!live) continue;
      if ((gap.min === 0 || inside[at] === 1) && text.startsWith(literal, at)) {
        next[at + literal.length] = 1;
        any = true;
      }
      if (gap.holds(text, at)) inside[at + 1] = 1;
    }
    if (!any) return false;
    reached = next;
  }
  return reached[text.length] === 1;
}
