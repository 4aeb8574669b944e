/** An element of DER (X.690 §10): its tag, and what is in it. Constructed elements have `parts`. */
export interface DerElement {
  readonly tag: number;
  readonly content: Uint8Array;
  readonly parts: readonly DerElement[];
}

/** Elements inside each other. */
const deepest = 32;

/**
 * Reads bytes that are one element of DER and nothing else, and everything that it is made of. Lengths must be definite and minimal, tags
 * below 31. Undefined when anything is wrong anywhere. Total. Cost: linear, times the depth.
 */
export function readDer(bytes: Uint8Array): DerElement | undefined {
  const elements = readAll(bytes, 0);
  return elements?.length === 1 ? elements[0] : undefined;
}

function readAll(bytes: Uint8Array, depth: number): readonly DerElement[] | undefined {
  if (depth > deepest) return undefined;
  const elements: DerElement[] = [];
  for (let at = 0; at < bytes.length; ) {
    const tag = bytes[at]!;
    const length = readLength(bytes, at + 1);
    if ((tag & 0x1f) === 0x1f || length === undefined || length.start + length.bytes > bytes.length) return undefined;
    at = length.start + length.bytes;
    const content = bytes.subarray(length.start, at);
    const parts = (tag & 0x20) === 0 ? [] : readAll(content, depth + 1);
    if (parts === undefined) return undefined;
    elements.push({ tag, content, parts });
  }
  return elements;
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
