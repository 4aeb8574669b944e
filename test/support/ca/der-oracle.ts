/** An element as the oracle sees it. */
export interface OracleNode {
  readonly tag: number;
  readonly start: number;
  readonly contentStart: number;
  readonly end: number;
  readonly parts: readonly OracleNode[];
}

class NotDer extends Error {}

/**
 * A second reader of DER, written by hand from X.690 and without a look at the product's: recursive, arcs in BigInt, one rule after the other. Undefined when
 * the bytes are not one element of DER of at most this depth, of the types that certificates have. For tests: not made to be fast.
 */
export function oracleRead(bytes: Uint8Array, depth: number): OracleNode | undefined {
  try {
    const node = readAt(bytes, 0, bytes.length, depth);
    return node.end === bytes.length ? node : undefined;
  } catch (error) {
    if (error instanceof NotDer) return undefined;
    throw error;
  }
}

function demand(condition: boolean): void {
  if (!condition) throw new NotDer();
}

function readAt(bytes: Uint8Array, start: number, limit: number, depth: number): OracleNode {
  demand(depth > 0 && start + 2 <= limit);
  const tag = bytes[start]!;
  demand((tag & 31) !== 31);
  const { length, contentStart } = lengthAt(bytes, start + 1, limit);
  const end = contentStart + length;
  demand(end <= limit);
  const content = bytes.slice(contentStart, end);
  const universal = tag >> 6 === 0;
  const constructed = (tag & 32) !== 0;
  if (universal) demand(constructed === [16, 17].includes(tag & 31));
  const parts: OracleNode[] = [];
  if (constructed)
    for (let at = contentStart; at < end; at = parts.at(-1)!.end) parts.push(readAt(bytes, at, end, depth - 1));
  else if (universal) demand(contentRules[tag]?.(content) ?? false);
  else if ((tag & 31) === 30) demand(content.length % 2 === 0);
  return { tag, start, contentStart, end, parts };
}

function lengthAt(bytes: Uint8Array, at: number, limit: number): { length: number; contentStart: number } {
  const first = bytes[at]!;
  if (first < 128) return { length: first, contentStart: at + 1 };
  const count = first & 127;
  demand(count >= 1 && count <= 3 && at + 1 + count <= limit);
  const length = Number.parseInt(Buffer.from(bytes.slice(at + 1, at + 1 + count)).toString("hex"), 16);
  const fewest = length < 128 ? 0 : length < 256 ? 1 : length < 65536 ? 2 : 3;
  demand(fewest === count);
  return { length, contentStart: at + 1 + count };
}

const any = () => true;

/** Universal types that are taken, and what their content must be. */
const contentRules: Readonly<Record<number, (content: Uint8Array) => boolean>> = {
  1: (content) => content.length === 1 && [0, 255].includes(content[0]!),
  2: isInteger,
  3: isBits,
  4: any,
  5: (content) => content.length === 0,
  6: isOid,
  10: isInteger,
  12: any,
  18: any,
  19: any,
  20: any,
  22: any,
  23: any,
  24: any,
  26: any,
  28: (content) => content.length % 4 === 0,
  30: (content) => content.length % 2 === 0,
};

/** X.690 §8.3.2: the first nine bits are not all the same. */
function isInteger(content: Uint8Array): boolean {
  if (content.length === 0) return false;
  if (content.length === 1) return true;
  const nine = ((content[0]! << 8) | content[1]!) >> 7;
  return nine !== 0 && nine !== 511;
}

function isBits(content: Uint8Array): boolean {
  const [unused, ...rest] = content;
  if (unused === undefined || unused > 7) return false;
  if (rest.length === 0) return unused === 0;
  return rest.at(-1)!.toString(2).padStart(8, "0").endsWith("0".repeat(unused));
}

function isOid(content: Uint8Array): boolean {
  if (content.length === 0) return false;
  let arc: bigint | undefined;
  for (const byte of content) {
    if (arc === undefined && byte === 128) return false;
    arc = ((arc ?? 0n) << 7n) | BigInt(byte & 127);
    if (arc >= 2n ** 53n) return false;
    if (byte < 128) arc = undefined;
  }
  return arc === undefined;
}

/** How the oracle and the product's reader say where everything is: equal texts, equal trees. */
export function outline(node: OracleNode): string {
  return `${node.tag}:${node.start}-${node.contentStart}-${node.end}[${node.parts.map(outline).join(",")}]`;
}
