import type { AttributeType } from "./attributes.ts";
import { limits } from "./limits.ts";

/**
 * How large a value can be. `inner`: any one member. `each`: a member on average over all of them, for work that is linear in members'
 * sizes: the sum over all members is bounded by what an attribute may hold, not by members times the largest one.
 */
export interface Extent {
  /** UTF-16 units, if it is text. */
  readonly chars: number;
  /** Members, if it is a list or a map. */
  readonly items: number;
  readonly inner?: Extent;
  readonly each?: Extent;
}

export const scalar: Extent = { chars: 0, items: 0 };

/** A text of so many characters at most. */
export function text(chars: number): Extent {
  return { chars, items: 0 };
}

/** Part of a list or a map. */
export function memberOf({ inner }: Extent): Extent {
  return inner ?? scalar;
}

/** What a loop's variable is bound to. Of a map it is the key. */
export function eachOf({ each, inner }: Extent): Extent {
  return each ?? inner ?? scalar;
}

/** The extent of what may be any of them. */
export function largest(extents: readonly Extent[]): Extent {
  return extents.reduce((a, b) => (contains(a, b) ? a : contains(b, a) ? b : merge(a, b)), scalar);
}

function contains(a: Extent, b: Extent): boolean {
  return a === b || (a.chars >= b.chars && a.items >= b.items && b.inner === undefined);
}

function merge(a: Extent, b: Extent): Extent {
  // Values of JSON are members of themselves: whatever is merged with one of them is as large as it.
  if (a === anyValue || b === anyValue)
    return { ...anyValue, chars: Math.max(a.chars, b.chars), items: Math.max(a.items, b.items) };
  const inner = largest([memberOf(a), memberOf(b)]);
  const each = largest([eachOf(a), eachOf(b)]);
  return { chars: Math.max(a.chars, b.chars), items: Math.max(a.items, b.items), inner, each };
}

/** Values that are visited when two are compared. */
export function valuesIn(extent: Extent): number {
  if (extent.inner === undefined) return 1;
  if (extent === averageValue) return limits.attributeNodes / limits.attributeItems;
  if (extent === anyValue || extent.inner === anyValue || extent.inner === averageValue) return limits.attributeNodes;
  return 1 + extent.items * valuesIn(extent.inner);
}

const averageText = text(limits.attributeTotal / limits.attributeItems);
const largestText = text(limits.attributeText);

/** A value somewhere in JSON whose place is not known: on average over the members of a list. */
const averageValue: Extent = selfSimilar({
  chars: averageText.chars,
  items: limits.attributeNodes / limits.attributeItems,
});
/** The largest value in JSON. */
const anyValue: Extent = selfSimilar({ chars: limits.attributeText, items: limits.attributeItems }, averageValue);

function selfSimilar(size: { chars: number; items: number }, each?: Extent): Extent {
  const extent: { chars: number; items: number; inner?: Extent; each?: Extent } = { ...size };
  extent.inner = extent;
  extent.each = each ?? extent;
  return extent;
}

const texts: Extent = { chars: 0, items: limits.attributeItems, inner: largestText, each: averageText };

const byType: Readonly<Record<AttributeType, Extent>> = {
  string: largestText,
  int: scalar,
  bool: scalar,
  "google.protobuf.Timestamp": scalar,
  "list<string>": texts,
  "map<string, string>": texts,
  "map<string, list<string>>": { ...texts, inner: texts },
  "map<string, dyn>": anyValue,
  "list<map<string, dyn>>": anyValue,
};

/** The largest that an attribute of a type can be; above, it is not given to an expression at all. */
export function attributeExtent(type: AttributeType): Extent {
  return byType[type];
}
