import type { ByteString } from "./model.ts";

/**
 * The order of two texts when both are read from their ends: a suffix stands before every text that ends with it. The suffixes
 * of an index stand in this order.
 */
export function compareBackwards(a: ByteString, b: ByteString): number {
  const shared = Math.min(a.length, b.length);
  for (let i = 1; i <= shared; i++) {
    const difference = a.charCodeAt(a.length - i) - b.charCodeAt(b.length - i);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}
