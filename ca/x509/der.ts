import asn1, { type Asn1 } from "node-forge/lib/asn1.js";
import { checkDer, type DerExtents, type DerLimits } from "./check-der.ts";
import type { Read } from "./contract.ts";

export type { DerLimits } from "./check-der.ts";

/** An element that was read, and where it stands. The bytes it was read from must not change. */
export interface DerNode {
  readonly bytes: Uint8Array;
  /** The whole identifier byte: class, constructed, number. */
  readonly tag: number;
  readonly start: number;
  readonly contentStart: number;
  readonly end: number;
  /** Empty for primitive elements. */
  readonly parts: readonly DerNode[];
}

/**
 * Reads one element of DER, all of the bytes. Two readers must agree: our check goes first and says where each element is (see `checkDer` for what it
 * refuses), then node-forge says what is inside what. BIT STRING and OCTET STRING are not opened. Never throws. Linear, about 10 µs for a certificate.
 */
export function readDer(bytes: Uint8Array, limits: DerLimits): Read<DerNode> {
  const checked = checkDer(bytes, limits);
  if (!checked.ok) return checked;
  const view = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  try {
    const root = asn1.fromDer(latin1Of(view), {
      strict: true,
      parseAllBytes: true,
      decodeBitStrings: false,
      maxDepth: limits.depth,
    });
    const cursor = { next: 0 };
    const node = placed(root, view, checked.value, cursor);
    if (node !== undefined && cursor.next === checked.value.length) return { ok: true, value: node };
  } catch (error) {
    return { ok: false, fault: { message: `the second reader refuses it: ${String(error)}` } };
  }
  return { ok: false, fault: { message: "two readers disagree about what is inside what" } };
}

/** Joins what node-forge says with where the check saw it; undefined where they differ. */
function placed(element: Asn1, bytes: Uint8Array, extents: DerExtents, cursor: { next: number }): DerNode | undefined {
  const start = extents[cursor.next];
  const contentStart = extents[cursor.next + 1];
  const end = extents[cursor.next + 2];
  cursor.next += 3;
  if (start === undefined || contentStart === undefined || end === undefined) return undefined;
  const tag = element.tagClass | element.type | (element.constructed ? 0x20 : 0);
  if (tag !== bytes[start]) return undefined;
  const { value } = element;
  if (typeof value === "string") {
    const sizeBytes = element.type === BMP_STRING ? value.length * 2 : value.length;
    return sizeBytes === end - contentStart ? { bytes, tag, start, contentStart, end, parts: none } : undefined;
  }
  const parts: DerNode[] = [];
  for (const part of value) {
    const node = placed(part, bytes, extents, cursor);
    if (node === undefined || node.end > end) return undefined;
    parts.push(node);
  }
  return { bytes, tag, start, contentStart, end, parts };
}

const BMP_STRING = 30;
const none: readonly DerNode[] = [];

/** The whole element, tag and length included, as it came. A view, not a copy. */
export function wholeOf(node: DerNode): Uint8Array {
  return node.bytes.subarray(node.start, node.end);
}

/** What is behind tag and length. A view, not a copy. */
export function contentOf(node: DerNode): Uint8Array {
  return node.bytes.subarray(node.contentStart, node.end);
}

/** The content, one character for each byte. */
export function contentLatin1(node: DerNode): string {
  return latin1Of(contentOf(node));
}

/** The object identifier that the element holds, dotted; undefined when it is none. */
export function oidOf(node: DerNode): string | undefined {
  if (node.tag !== 0x06) return undefined;
  const content = contentLatin1(node);
  const known = knownOids.get(content);
  return known ?? asn1.derToOid(content);
}

/** One character for each byte. */
export function latin1Of(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
}

/** PERF: what every certificate and request holds; the way through node-forge costs a microsecond each. */
const knownOids: ReadonlyMap<string, string> = new Map(
  [
    "2.5.29.14",
    "2.5.29.15",
    "2.5.29.17",
    "2.5.29.19",
    "2.5.29.35",
    "2.5.29.37",
    "1.3.6.1.5.5.7.3.1",
    "1.3.6.1.5.5.7.3.2",
    "1.2.840.113549.1.9.14",
    "2.5.4.3",
    "2.5.4.6",
    "2.5.4.10",
    "2.5.4.11",
  ].map((dotted) => [asn1.oidToDer(dotted).getBytes(), dotted]),
);
