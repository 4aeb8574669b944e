import { compareBackwards } from "#policy-compiler/ruleset/compare-backwards";
import type { Anchor, Dimension, Dimensions } from "./dimensions.ts";

/**
 * Estimates for every anchor how many rules a request that has its value finds under it: rules that ask for the same value,
 * and those that ask for a longer one which includes it. Only the speed of look-ups depends on it.
 */
export function estimateCosts(dimensions: Dimensions): void {
  for (const dimension of dimensions.all) {
    let total = 0;
    for (const op of ops) {
      for (const anchor of dimension.of(op)) {
        anchor.cost = anchor.uses;
        total += anchor.uses;
      }
    }
    for (const anchor of dimension.of("present")) anchor.cost = total;
    estimatePrefixes(dimension);
    estimateSuffixes(dimension);
    estimateBlocks(dimension);
  }
}

const ops = ["exact", "prefix", "suffix", "cidr", "present"] as const;

function estimatePrefixes(dimension: Dimension): void {
  const prefixes = dimension.of("prefix");
  if (prefixes.length === 0) return;
  const within = usesBetween([...dimension.of("exact"), ...prefixes], (a, b) => (a < b ? -1 : a > b ? 1 : 0));
  // No byte string holds U+FFFF: this is behind everything that begins with the prefix.
  for (const anchor of prefixes) anchor.cost = within(anchor.text, `${anchor.text}\uffff`);
}

function estimateSuffixes(dimension: Dimension): void {
  const suffixes = dimension.of("suffix");
  if (suffixes.length === 0) return;
  const within = usesBetween([...dimension.of("exact"), ...suffixes], compareBackwards);
  for (const anchor of suffixes) anchor.cost = within(anchor.text, `\uffff${anchor.text}`);
}

function estimateBlocks(dimension: Dimension): void {
  const blocks = dimension.of("cidr");
  if (blocks.length === 0) return;
  const within = usesBetween(blocks, (a, b) => a.length - b.length || (a < b ? -1 : a > b ? 1 : 0));
  for (const anchor of blocks) anchor.cost = within(anchor.text, lastAddress(anchor));
}

function lastAddress({ text, prefixLength }: Anchor): string {
  const bytes = Array.from(
    text,
    (byte, i) => byte.charCodeAt(0) | (0xff >> Math.min(8, Math.max(0, prefixLength - 8 * i))),
  );
  return String.fromCharCode(...bytes);
}

/** Sums the uses of all anchors whose text lies between two texts, both included, in an order. */
function usesBetween(
  anchors: readonly Anchor[],
  compare: (a: string, b: string) => number,
): (low: string, high: string) => number {
  const sorted = anchors.toSorted((a, b) => compare(a.text, b.text));
  const before = new Float64Array(sorted.length + 1);
  sorted.forEach((anchor, i) => {
    before[i + 1] = before[i]! + anchor.uses;
  });
  const firstNot = (isBefore: (text: string) => boolean) => {
    let low = 0;
    let high = sorted.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (isBefore(sorted[middle]!.text)) low = middle + 1;
      else high = middle;
    }
    return low;
  };
  return (low, high) =>
    before[firstNot((text) => compare(text, high) <= 0)]! - before[firstNot((text) => compare(text, low) < 0)]!;
}
