import asn1, { type Asn1 } from "node-forge/lib/asn1.js";
import { checkDer, type DerLimits } from "./check-der.ts";
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
 * Reads one element of DER, all of the bytes. Two readers must agree: our check goes first (see `checkDer` for what it refuses), then node-forge says what is inside what, and every
 * element must stand where its bytes say. BIT STRING and OCTET STRING are not opened. Never throws. Linear, about 10 µs for a certificate.
 */
export function readDer(bytes: Uint8Array, limits: DerLimits): Read<DerNode> {
  const fault = checkDer(bytes, limits);
  if (fault !== undefined) return { ok: false, fault };
  const view = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  try {
    const root = asn1.fromDer(latin1Of(view), {
      strict: true,
      parseAllBytes: true,
      decodeBitStrings: false,
      maxDepth: limits.depth,
    });
    const node = placed(root, view, 0, view.length);
    if (node?.end === view.length) return { ok: true, value: node };
  } catch (error) {
    return { ok: false, fault: { message: `the second reader refuses it: ${String(error)}` } };
  }
  return { ok: false, fault: { message: "two readers disagree about what is inside what" } };
}

/** Joins what node-forge says with what the bytes at `start` say, whose form was checked; undefined where they differ, or go beyond `limit`. */
function placed(element: Asn1, bytes: Uint8Array, start: number, limit: number): DerNode | undefined {
  const tag = element.tagClass | element.type | (element.constructed ? 0x20 : 0);
  if (tag !== bytes[start]) return undefined;
  const first = bytes[start + 1]!;
  const contentStart = start + (first < 0x80 ? 2 : 2 + (first & 0x7f));
  let length = first < 0x80 ? first : 0;
  for (let i = start + 2; i < contentStart; i++) length = length * 256 + bytes[i]!;
  const end = contentStart + length;
  if (end > limit) return undefined;
  const { value } = element;
  if (typeof value === "string") {
    const sizeBytes = element.type === BMP_STRING ? value.length * 2 : value.length;
    return sizeBytes === length ? { bytes, tag, start, contentStart, end, parts: none } : undefined;
  }
  // PERF: a list that grows leaves its smaller selves behind, for each of the elements.
  const parts = new Array<DerNode>(value.length);
  let at = contentStart;
  for (let i = 0; i < value.length; i++) {
    const node = placed(value[i]!, bytes, at, end);
    if (node === undefined) return undefined;
    parts[i] = node;
    at = node.end;
  }
  return at === end ? { bytes, tag, start, contentStart, end, parts } : undefined;
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
