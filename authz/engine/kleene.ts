/**
 * Kleene's three values as small numbers, ordered: AND is the smaller, OR the greater, NOT the mirror. `UNSURE` is the result
 * of a leaf whose subject the request did not bring (`UNKNOWN`), never of one whose subject is absent (false).
 */
export const FALSE = 0;
export const UNSURE = 1;
export const TRUE = 2;
export type Truth = 0 | 1 | 2;

/** True if both are, false if one is, else unsure. */
export function and(a: Truth, b: Truth): Truth {
  return Math.min(a, b) as Truth;
}

/** True if one is, false if both are, else unsure. */
export function or(a: Truth, b: Truth): Truth {
  return Math.max(a, b) as Truth;
}

/** Unsure stays unsure. */
export function not(a: Truth): Truth {
  return (2 - a) as Truth;
}
