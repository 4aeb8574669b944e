import type { DerFault } from "./contract.ts";

/** How much is read. `depth`: how many elements may stand inside each other, the outermost counted. */
export interface DerLimits {
  readonly sizeBytes: number;
  readonly depth: number;
}

/**
 * Looks at bytes before any other reader does: one element of DER, and nothing after it (X.690 §8, §10, §11). Lengths are definite and minimal,
 * tags below 31, universal types of the kinds that certificates are made of and in their form (primitive or constructed), INTEGER and object identifiers
 * minimal, arcs below 2^53, BOOLEAN 00 or FF, unused bits of a BIT STRING zero, NULL empty. What context tags stand for is not known here, so
 * their content is not looked at when they are primitive. Not checked: order in a SET, characters of texts. Undefined: nothing is wrong. Never throws; linear.
 */
export function checkDer(bytes: Uint8Array, limits: DerLimits): DerFault | undefined {
  if (bytes.length > limits.sizeBytes)
    return { message: `expected at most ${limits.sizeBytes} bytes, found ${bytes.length}` };
  /** Ends of the constructed elements that are open. */
  const open: number[] = [];
  let at = 0;
  let end = bytes.length;
  do {
    const tag = bytes[at];
    if (tag === undefined || at >= end) return failed("expected an element, found the end", at);
    if ((tag & 0x1f) === 0x1f) return failed("tags above 30 are not taken", at);
    let contentStart = at + 2;
    let length = bytes[at + 1];
    if (length === undefined || contentStart > end) return failed("expected a length, found the end", at + 1);
    if (length >= 0x80) {
      const size = length - 0x80;
      contentStart += size;
      if (size === 0) return failed("lengths must be definite", at + 1);
      if (size > 3) return failed("the length is too large", at + 1);
      if (contentStart > end) return failed("the length is cut off", at + 1);
      length = 0;
      for (let i = at + 2; i < contentStart; i++) length = length * 256 + bytes[i]!;
      if (length < 0x80 || bytes[at + 2] === 0) return failed("lengths must be minimal", at + 1);
    }
    const contentEnd = contentStart + length;
    if (contentEnd > end) return failed("the element is longer than what it is in", at);

    if ((tag & 0xc0) === 0) {
      const message = universalFault(tag, bytes, contentStart, contentEnd);
      if (message !== undefined) return failed(message, at);
    } else if ((tag & 0x3f) === 0x1e && length % 2 !== 0) {
      // The second reader takes any tag 30 for a BMPString, whatever its class.
      return failed("a primitive element of tag 30 must have an even length", at);
    }
    if ((tag & 0x20) !== 0) {
      if (open.length + 1 >= limits.depth && length > 0) return failed(`deeper than ${limits.depth} elements`, at);
      open.push(end);
      end = contentEnd;
      at = contentStart;
    } else {
      at = contentEnd;
    }
    while (at === end && open.length > 0) end = open.pop()!;
  } while (open.length > 0);
  if (at !== bytes.length) return failed("bytes follow the end", at);
  return undefined;
}

function failed(message: string, offset: number): DerFault {
  return { message, offset };
}

const SEQUENCE = 0x30;
const SET = 0x31;

/** What is wrong with an element of a universal type, if anything. */
function universalFault(tag: number, bytes: Uint8Array, start: number, end: number): string | undefined {
  switch (tag) {
    case SEQUENCE:
    case SET:
      return undefined;
    case 0x01:
      return end - start === 1 && (bytes[start] === 0 || bytes[start] === 0xff)
        ? undefined
        : "a BOOLEAN must be one byte, 00 or ff";
    case 0x02:
    case 0x0a:
      return isMinimalInteger(bytes, start, end) ? undefined : "an INTEGER must be minimal";
    case 0x03:
      return isBitString(bytes, start, end) ? undefined : "the unused bits of a BIT STRING must be 0 to 7 zeros";
    case 0x05:
      return start === end ? undefined : "a NULL must be empty";
    case 0x06:
      return oidFault(bytes, start, end);
    case 0x1c:
      return (end - start) % 4 === 0 ? undefined : "a UniversalString must have four bytes for each character";
    case 0x1e:
      return (end - start) % 2 === 0 ? undefined : "a BMPString must have two bytes for each character";
    case 0x04: // OCTET STRING
    case 0x0c: // UTF8String
    case 0x12: // NumericString
    case 0x13: // PrintableString
    case 0x14: // TeletexString
    case 0x16: // IA5String
    case 0x17: // UTCTime
    case 0x18: // GeneralizedTime
    case 0x1a: // VisibleString
      return undefined;
    case 0x10:
    case 0x11:
      return "a SEQUENCE or SET must be constructed";
    default:
      return (tag & 0x20) !== 0 ? "only SEQUENCE and SET may be constructed" : `type ${tag} is not taken`;
  }
}

function isMinimalInteger(bytes: Uint8Array, start: number, end: number): boolean {
  if (end - start < 2) return end > start;
  const first = bytes[start]!;
  const second = bytes[start + 1]!;
  return !((first === 0 && second < 0x80) || (first === 0xff && second >= 0x80));
}

function isBitString(bytes: Uint8Array, start: number, end: number): boolean {
  const unused = bytes[start];
  if (start === end || unused === undefined || unused > 7) return false;
  if (end - start === 1) return unused === 0;
  return (bytes[end - 1]! & ((1 << unused) - 1)) === 0;
}

/** Largest arc before another seven bits are added: what follows must stay a safe integer. */
const LARGEST_ARC_PREFIX = 2 ** 46 - 1;

function oidFault(bytes: Uint8Array, start: number, end: number): string | undefined {
  if (start === end || bytes[end - 1]! >= 0x80) return "an object identifier is cut off";
  let arc = 0;
  for (let i = start; i < end; i++) {
    const byte = bytes[i]!;
    if (arc === 0 && byte === 0x80) return "arcs of an object identifier must be minimal";
    if (arc > LARGEST_ARC_PREFIX) return "an arc of an object identifier is 2^53 or more";
    arc = byte < 0x80 ? 0 : arc * 128 + (byte & 0x7f);
  }
  return undefined;
}
