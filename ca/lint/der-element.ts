/** A tag, a length and a content, as they stand in `bytes`: offsets, nothing is copied. */
export interface DerElement {
  readonly tag: number;
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly contentStart: number;
  readonly end: number;
}

/**
 * The element that begins at `start` and ends by `end`: a low tag number, a definite length of at most three bytes (X.690 §8.1). Undefined: there is none,
 * or its length is not the shortest (§10.1). The lints read with this and not with what wrote the certificate: two readers seldom err alike.
 */
export function derElement(bytes: Uint8Array, start: number, end: number): DerElement | undefined {
  if (start + 2 > end) return undefined;
  const tag = bytes[start]!;
  if ((tag & 0x1f) === 0x1f) return undefined;
  const first = bytes[start + 1]!;
  let contentStart = start + 2;
  let length = first;
  if (first >= 0x80) {
    const octets = first & 0x7f;
    if (octets === 0 || octets > 3 || contentStart + octets > end) return undefined;
    length = 0;
    for (let i = 0; i < octets; i++) length = length * 256 + bytes[contentStart + i]!;
    if (length < 0x80 || length < 256 ** (octets - 1)) return undefined;
    contentStart += octets;
  }
  return contentStart + length > end ? undefined : { tag, bytes, start, contentStart, end: contentStart + length };
}

/** The one element that all the bytes are; undefined: they are none, or more follows. */
export function wholeElement(bytes: Uint8Array): DerElement | undefined {
  const element = derElement(bytes, 0, bytes.length);
  return element?.end === bytes.length ? element : undefined;
}

/** What a constructed element holds; undefined: its content is no row of elements. */
export function childrenOf({ bytes, contentStart, end }: DerElement): readonly DerElement[] | undefined {
  const children: DerElement[] = [];
  for (let at = contentStart; at < end; ) {
    const child = derElement(bytes, at, end);
    if (child === undefined) return undefined;
    children.push(child);
    at = child.end;
  }
  return children;
}

/** The whole element, a view. */
export function elementBytes({ bytes, start, end }: DerElement): Uint8Array {
  return bytes.subarray(start, end);
}

/** What stands behind tag and length, a view. */
export function contentOf({ bytes, contentStart, end }: DerElement): Uint8Array {
  return bytes.subarray(contentStart, end);
}

/** Bytes that stand for themselves, as text: for names that are ASCII, and for digits of times. */
export function latin1Text(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");
}

/** The dotted form of an OBJECT IDENTIFIER's content (X.690 §8.19); undefined: no whole arcs, or one not in its shortest form. */
export function dottedOid(content: Uint8Array): string | undefined {
  if (content.length === 0 || content[content.length - 1]! >= 0x80) return undefined;
  let dotted = "";
  let arc = 0;
  let fresh = true;
  for (const byte of content) {
    if (fresh && byte === 0x80) return undefined;
    arc = arc * 128 + (byte & 0x7f);
    if (arc > Number.MAX_SAFE_INTEGER / 128) return undefined;
    fresh = byte < 0x80;
    if (!fresh) continue;
    if (dotted === "") {
      const root = Math.min(Math.floor(arc / 40), 2);
      dotted = `${root}.${arc - root * 40}`;
    } else dotted += `.${arc}`;
    arc = 0;
  }
  return dotted;
}
