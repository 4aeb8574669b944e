import type { Random } from "#test/support/random";
import { type OracleNode, oracleRead } from "./der-oracle.ts";
import { concat, tlv } from "./der-writer.ts";

/** A tree that can be changed and written again; lengths are made to fit. */
interface Element {
  tag: number;
  content: Uint8Array | Element[];
}

/** Changes DER at random, once to three times: some of its bytes, or its elements with every length around them put right again. */
export function mutateDer(der: Uint8Array, random: Random): Uint8Array {
  let changed = der;
  for (let times = 1 + random.below(3); times > 0; times--)
    changed = random.below(2) === 0 ? mutateBytes(changed, random) : mutateElements(changed, random);
  return changed;
}

const interesting = [0x00, 0x01, 0x02, 0x03, 0x05, 0x06, 0x1f, 0x30, 0x31, 0x7f, 0x80, 0x81, 0x82, 0x84, 0xa0, 0xff];

function mutateBytes(bytes: Uint8Array, random: Random): Uint8Array {
  const at = random.below(bytes.length + 1);
  const size = 1 + random.below(8);
  const some = Uint8Array.from({ length: size }, () => random.below(256));
  const rest = bytes.subarray(Math.min(at + size, bytes.length));
  switch (random.below(7)) {
    case 0:
      return flipped(bytes, at, 1 << random.below(8));
    case 1:
      return concat(bytes.subarray(0, at), Uint8Array.of(random.pick(interesting)), bytes.subarray(at + 1));
    case 2:
      return concat(bytes.subarray(0, at), rest);
    case 3:
      return concat(bytes.subarray(0, at), some, bytes.subarray(at));
    case 4:
      return concat(bytes.subarray(0, at), some, rest);
    case 5:
      return bytes.slice(0, at);
    default:
      return concat(bytes.subarray(0, at), bytes.subarray(random.below(bytes.length + 1)));
  }
}

function flipped(bytes: Uint8Array, at: number, mask: number): Uint8Array {
  const changed = bytes.slice();
  if (at < changed.length) changed[at]! ^= mask;
  return changed;
}

/** Bytes that are no DER any more are changed as bytes. */
function mutateElements(bytes: Uint8Array, random: Random): Uint8Array {
  const read = oracleRead(bytes, 24);
  if (read === undefined) return mutateBytes(bytes, random);
  const root = elementOf(read, bytes);
  const lists = listsIn(root).filter((each) => each.length > 0);
  if (lists.length === 0) return mutateBytes(bytes, random);
  const list = random.pick(lists);
  const at = random.below(list.length);
  const element = list[at]!;
  switch (random.below(8)) {
    case 0:
      list.splice(at, 1);
      break;
    case 1:
      list.splice(at, 0, element);
      break;
    case 2:
      list.splice(at, 1, list[random.below(list.length)]!);
      break;
    case 3:
      list.reverse();
      break;
    case 4:
      element.tag = random.below(2) === 0 ? random.below(256) : element.tag ^ (1 << random.below(8));
      break;
    case 5:
      element.content = element.content instanceof Uint8Array ? mutateBytes(element.content, random) : [];
      break;
    case 6:
      list.splice(at, 1, random.pick(random.pick(lists)));
      break;
    default:
      list.splice(at, 1, { tag: random.pick([0x30, 0x31, 0xa0, 0xa3]), content: [element] });
  }
  return written(root, random, 12);
}

function elementOf(node: OracleNode, bytes: Uint8Array): Element {
  const primitive = (node.tag & 0x20) === 0;
  return {
    tag: node.tag,
    content: primitive ? bytes.slice(node.contentStart, node.end) : node.parts.map((part) => elementOf(part, bytes)),
  };
}

function listsIn(element: Element): Element[][] {
  if (element.content instanceof Uint8Array) return [];
  return [element.content, ...element.content.flatMap(listsIn)];
}

/** A splice may have put an element into itself: what is deeper than `depth` is left out. Now and then a length has more bytes than it needs. */
function written(element: Element, random: Random, depth: number): Uint8Array {
  const content =
    element.content instanceof Uint8Array
      ? element.content
      : depth === 0
        ? []
        : element.content.map((part) => written(part, random, depth - 1));
  return tlv(element.tag, content, random.below(400) === 0 ? 3 : undefined);
}
