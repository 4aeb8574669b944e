/** An element of DER (X.690 §10): its tag, and what is in it. Constructed elements have `parts`. */
export interface DerElement {
  readonly tag: number;
  readonly content: Uint8Array;
  readonly parts: readonly DerElement[];
}

/** Elements inside each other. */
const deepest = 32;

/**
 * Reads the element of DER that bytes begin with, and everything that it is made of. Lengths must be definite and minimal, tags below 31.
 * `sizeBytes` says where it ends. Undefined when anything is wrong anywhere in it. Total. Cost: linear, times the depth.
 */
export function readDer(bytes: Uint8Array): { element: DerElement; sizeBytes: number } | undefined {
  return readElement(bytes, 0, 0);
}

function readElement(
  bytes: Uint8Array,
  at: number,
  depth: number,
): { element: DerElement; sizeBytes: number } | undefined {
  const tag = bytes[at];
  const length = readLength(bytes, at + 1);
  if (tag === undefined || (tag & 0x1f) === 0x1f || length === undefined || depth > deepest) return undefined;
  const sizeBytes = length.start + length.bytes - at;
  if (at + sizeBytes > bytes.length) return undefined;
  const content = bytes.subarray(length.start, at + sizeBytes);
  const parts = (tag & 0x20) === 0 ? [] : readParts(content, depth + 1);
  return parts === undefined ? undefined : { element: { tag, content, parts }, sizeBytes };
}

function readParts(bytes: Uint8Array, depth: number): readonly DerElement[] | undefined {
  const parts: DerElement[] = [];
  for (let at = 0; at < bytes.length; ) {
    const part = readElement(bytes, at, depth);
    if (part === undefined) return undefined;
    parts.push(part.element);
    at += part.sizeBytes;
  }
  return parts;
}

function readLength(bytes: Uint8Array, at: number): { start: number; bytes: number } | undefined {
  const first = bytes[at];
  if (first === undefined) return undefined;
  if (first < 0x80) return { start: at + 1, bytes: first };
  const size = first - 0x80;
  if (size === 0 || size > 3 || at + size >= bytes.length || bytes[at + 1] === 0) return undefined;
  let length = 0;
  for (let i = 1; i <= size; i++) length = length * 256 + bytes[at + i]!;
  return length < 0x80 ? undefined : { start: at + 1 + size, bytes: length };
}
