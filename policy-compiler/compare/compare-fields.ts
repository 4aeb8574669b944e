import type { FieldNode, GroupNode, ItemsNode, Piece, TextsNode } from "./field-tree.ts";
import { keyOf, renderNode } from "./field-tree.ts";
import { matchItems } from "./match-items.ts";

/**
 * `added`, `removed`: the field was not there, or is not there any more. A list that is gone mostly restricts nothing, which is another thing than one that lost a value.
 * `partly`: a list, some of whose values stayed. `reordered`: a list whose order counts holds the same in another one; nothing else is said of it.
 */
export type FieldChangeKind = "edited" | "partly" | "added" | "removed" | "reordered";

/** What one field lost and gained: of a value the old and the new one, of a list the values that went and came. */
export interface FieldChange {
  /** As in `spec.rules[1].to[0].operation.paths`, in the later document; of what went, in the earlier. */
  readonly path: string;
  readonly kind: FieldChangeKind;
  readonly before: readonly Piece[];
  readonly after: readonly Piece[];
}

/** The fields in which two nodes differ, in the order of the fields. Nothing: they say the same. */
export function compareFields(
  before: FieldNode | undefined,
  after: FieldNode | undefined,
  path: string,
): readonly FieldChange[] {
  if (before === undefined) return after === undefined ? [] : [change("added", path, [], whole(after))];
  if (after === undefined) return [change("removed", path, whole(before), [])];
  if (before.kind === "group" && after.kind === "group") return compareGroups(before, after, path);
  if (before.kind === "items" && after.kind === "items") return compareItems(before, after, path);
  if (before.kind === "texts" && after.kind === "texts") return compareTexts(before, after, path);
  return keyOf(before) === keyOf(after) ? [] : [change("edited", path, whole(before), whole(after))];
}

function compareGroups(before: GroupNode, after: GroupNode, path: string): readonly FieldChange[] {
  const names = new Set([...before.fields.keys(), ...after.fields.keys()]);
  return [...names].flatMap((name) =>
    compareFields(before.fields.get(name), after.fields.get(name), joinPath(path, name)),
  );
}

function compareItems(before: ItemsNode, after: ItemsNode, path: string): readonly FieldChange[] {
  const pairs = matchItems(before.items, after.items);
  const changes = pairs.flatMap((pair) => {
    const [old, now] = [at(before.items, pair.before), at(after.items, pair.after)];
    const place = `${path}[${pair.after ?? pair.before}]`;
    // An item that came or went is a change of its list.
    if (old === undefined || now === undefined) return [change("edited", place, whole(old), whole(now))];
    return compareFields(old, now, place);
  });
  const order = pairs.flatMap((pair) => (pair.before !== undefined && pair.after !== undefined ? [pair.before] : []));
  return after.ordered && !isAscending(order) ? [change("reordered", path, [], []), ...changes] : changes;
}

/** Are these numbers in order, smallest first? */
export function isAscending(numbers: readonly number[]): boolean {
  return numbers.every((number, i) => i === 0 || numbers[i - 1]! < number);
}

function compareTexts({ items: old }: TextsNode, { items: now }: TextsNode, path: string): readonly FieldChange[] {
  const without = (pieces: readonly Piece[], others: readonly Piece[]) => {
    const known = new Set(others.map(({ text }) => text));
    return pieces.filter(({ text }) => !known.has(text));
  };
  const [went, came] = [without(old, now), without(now, old)];
  if (went.length + came.length === 0) return [];
  return [change(went.length < old.length ? "partly" : "edited", path, went, came)];
}

function change(kind: FieldChangeKind, path: string, before: readonly Piece[], after: readonly Piece[]): FieldChange {
  return { path, kind, before, after };
}

function whole(node: FieldNode | undefined): readonly Piece[] {
  if (node === undefined) return [];
  if (node.kind === "texts") return node.items;
  return [{ text: node.kind === "value" ? node.text : renderNode(node), span: placeOf(node) }];
}

function placeOf(node: Exclude<FieldNode, TextsNode>): Piece["span"] {
  return node.kind === "items" ? node.items[0]?.span : node.span;
}

/** Names that are no plain words (labels, header names) stand in brackets. */
function joinPath(path: string, name: string): string {
  if (!/^\w+$/.test(name)) return `${path}[${name}]`;
  return path === "" ? name : `${path}.${name}`;
}

function at<T>(list: readonly T[], index: number | undefined): T | undefined {
  return index === undefined ? undefined : list[index];
}
