import { type GroupNode, keyOf, leavesOf } from "./field-tree.ts";

/** Positions of an item in the two lists; undefined where it is not. */
export type Pair =
  | { readonly before: number; readonly after: number; readonly equal: boolean }
  | { readonly before: number; readonly after: undefined }
  | { readonly before: undefined; readonly after: number };

/** So many fields and texts of items that changed are looked up in others; beyond them items count as removed and added. */
const mostLookups = 5_000_000;

/** Two items that share less than this part of their fields and texts are not one that changed. */
const leastAlike = 0.5;

/**
 * Which items of two lists are the same ones: first those that are equal, in order, then, of the rest, those that are most alike, the nearest in place first. By place of
 * the later list, then of the earlier. Cost: linear, and quadratic in items that are in one list alone, up to `most` look-ups.
 */
export function matchItems(
  before: readonly GroupNode[],
  after: readonly GroupNode[],
  most: number = mostLookups,
): readonly Pair[] {
  const pairs: Pair[] = [];
  const waiting = new Map<string, number[]>();
  before.forEach((item, i) => {
    const key = keyOf(item);
    const same = waiting.get(key);
    if (same === undefined) waiting.set(key, [i]);
    else same.push(i);
  });
  const added: number[] = [];
  after.forEach((item, i) => {
    const equal = waiting.get(keyOf(item))?.shift();
    if (equal === undefined) added.push(i);
    else pairs.push({ before: equal, after: i, equal: true });
  });
  const removed = [...waiting.values()].flat().toSorted((a, b) => a - b);
  pairs.push(...pairAlike(before, after, removed, added, most));
  const [ofBefore, ofAfter] = [new Set(pairs.map((pair) => pair.before)), new Set(pairs.map((pair) => pair.after))];
  for (const i of removed) if (!ofBefore.has(i)) pairs.push({ before: i, after: undefined });
  for (const i of added) if (!ofAfter.has(i)) pairs.push({ before: undefined, after: i });
  return pairs.toSorted((a, b) => (a.after ?? a.before) - (b.after ?? b.before));
}

function pairAlike(
  before: readonly GroupNode[],
  after: readonly GroupNode[],
  removed: readonly number[],
  added: readonly number[],
  most: number,
): readonly Pair[] {
  const gone = removed.map((from) => ({ from, leaves: leavesOf(before[from]!) }));
  if (gone.reduce((sum, { leaves }) => sum + leaves.size, 0) * added.length > most) return [];
  const come = added.map((to) => ({ to, leaves: leavesOf(after[to]!) }));
  const candidates = gone.flatMap(({ from, leaves }) =>
    come.map((other) => ({ before: from, after: other.to, alike: likeness(leaves, other.leaves) })),
  );
  const distance = ({ before: from, after: to }: { before: number; after: number }) => Math.abs(from - to);
  const best = candidates
    .filter(({ alike }) => alike >= leastAlike)
    .toSorted((a, b) => b.alike - a.alike || distance(a) - distance(b));
  const taken = { before: new Set<number>(), after: new Set<number>() };
  return best.flatMap(({ before: from, after: to }) => {
    if (taken.before.has(from) || taken.after.has(to)) return [];
    taken.before.add(from);
    taken.after.add(to);
    return [{ before: from, after: to, equal: false }];
  });
}

/** The part of all fields and texts that both have: 1 for the same ones, 0 for none in common. */
function likeness(a: ReadonlySet<string>, b: ReadonlySet<string>): number {
  const shared = [...a].filter((leaf) => b.has(leaf)).length;
  const all = a.size + b.size - shared;
  return all === 0 ? 1 : shared / all;
}
