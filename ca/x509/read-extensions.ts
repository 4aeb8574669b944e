import type { GeneralName, Read } from "./contract.ts";
import { contentLatin1, contentOf, type DerNode, oidOf, readDer } from "./der.ts";

/** Extensions of certificates and requests; the longest is a list of names. `depth`: a directoryName in the names. */
const limits = { sizeBytes: 16 * 1024, depth: 8 };

const SEQUENCE = 0x30;
const BOOLEAN = 0x01;
const INTEGER = 0x02;
const BIT_STRING = 0x03;
const OCTET_STRING = 0x04;

/** The extensions that are known, dotted. */
export const extensionOids = {
  subjectKeyId: "2.5.29.14",
  keyUsage: "2.5.29.15",
  subjectAlternativeName: "2.5.29.17",
  basicConstraints: "2.5.29.19",
  authorityKeyId: "2.5.29.35",
  extendedKeyUsage: "2.5.29.37",
} as const;

/** Bits of a key usage in their order (RFC 5280 §4.2.1.3). */
export const keyUsages = [
  "digitalSignature",
  "nonRepudiation",
  "keyEncipherment",
  "dataEncipherment",
  "keyAgreement",
  "keyCertSign",
  "cRLSign",
  "encipherOnly",
  "decipherOnly",
] as const;
export type KeyUsageName = (typeof keyUsages)[number];

export interface KeyUsage {
  readonly names: readonly KeyUsageName[];
  /** As DER writes a list of named bits (X.690 §11.2.2): no zero bit at the end, no bit without a name. */
  readonly minimal: boolean;
}

export interface BasicConstraints {
  readonly ca: boolean;
  /** Undefined: not limited. */
  readonly pathLength: number | undefined;
  /** Was CA:FALSE written although it is the default (not DER)? */
  readonly defaultWritten: boolean;
}

/**
 * The names of a subject alternative name (RFC 5280 §4.2.1.6), in their order, repeated ones too. At least one; texts are ASCII and not empty; an address
 * has 4 or 16 bytes. Whether a text is a URI or a DNS name is not looked at. The value is the content of the extension's OCTET STRING, here and below.
 */
export function readAlternativeNames(value: Uint8Array): Read<readonly GeneralName[]> {
  const read = readDer(value, limits);
  if (!read.ok) return read;
  if (read.value.tag !== SEQUENCE || read.value.parts.length === 0)
    return failed("expected at least one name", read.value);
  const names: GeneralName[] = [];
  for (const node of read.value.parts) {
    const name = generalName(node);
    if (typeof name === "string") return failed(name, node);
    names.push(name);
  }
  return { ok: true, value: names };
}

/** A name, or what is wrong with it. */
function generalName(node: DerNode): GeneralName | string {
  switch (node.tag) {
    case 0x81:
      return textName("email", node);
    case 0x82:
      return textName("dns", node);
    case 0x86:
      return textName("uri", node);
    case 0x87: {
      const bytes = contentOf(node);
      return bytes.length === 4 || bytes.length === 16
        ? { kind: "ip", bytes }
        : `expected an address of 4 or 16 bytes, found ${bytes.length}`;
    }
    case 0xa0: // otherName
    case 0xa3: // x400Address
    case 0xa4: // directoryName
    case 0xa5: // ediPartyName
    case 0x88: // registeredID
      return { kind: "other", tag: node.tag };
    default:
      return "expected a general name";
  }
}

function textName(kind: "uri" | "dns" | "email", node: DerNode): GeneralName | string {
  const value = contentLatin1(node);
  if (value === "") return `expected a text, found an empty ${kind}`;
  for (let i = 0; i < value.length; i++) if (value.charCodeAt(i) > 0x7f) return `expected ASCII in a ${kind}`;
  return { kind, value };
}

/** RFC 5280 §4.2.1.3. A bit string of more than two bytes is a fault; an empty one has no names. */
export function readKeyUsage(value: Uint8Array): Read<KeyUsage> {
  const read = readDer(value, limits);
  if (!read.ok) return read;
  if (read.value.tag !== BIT_STRING) return failed("expected a BIT STRING", read.value);
  const [unused, first = 0, second = 0, ...more] = contentOf(read.value);
  if (more.length > 0) return failed("expected at most nine bits", read.value);
  const bits = (first << 8) | second;
  const count = (read.value.end - read.value.contentStart - 1) * 8 - unused!;
  return {
    ok: true,
    value: {
      names: keyUsages.filter((_, i) => (bits & (0x8000 >> i)) !== 0),
      minimal: count <= keyUsages.length && (count === 0 || (bits & (0x8000 >> (count - 1))) !== 0),
    },
  };
}

/** RFC 5280 §4.2.1.12: the purposes, dotted, in their order; at least one. */
export function readExtendedKeyUsage(value: Uint8Array): Read<readonly string[]> {
  const read = readDer(value, limits);
  if (!read.ok) return read;
  if (read.value.tag !== SEQUENCE || read.value.parts.length === 0)
    return failed("expected at least one purpose", read.value);
  const purposes: string[] = [];
  for (const node of read.value.parts) {
    const oid = oidOf(node);
    if (oid === undefined) return failed("expected an object identifier", node);
    purposes.push(oid);
  }
  return { ok: true, value: purposes };
}

/** RFC 5280 §4.2.1.9. A path length is at most 255, and may stand beside CA:FALSE here. */
export function readBasicConstraints(value: Uint8Array): Read<BasicConstraints> {
  const read = readDer(value, limits);
  if (!read.ok) return read;
  const { tag, parts } = read.value;
  if (tag !== SEQUENCE) return failed("expected basic constraints, a SEQUENCE", read.value);
  const flag = parts[0]?.tag === BOOLEAN ? parts[0] : undefined;
  const [length, ...more] = flag === undefined ? parts : parts.slice(1);
  if (more.length > 0) return failed("expected nothing behind the path length", more[0]!);
  const ca = flag !== undefined && flag.bytes[flag.contentStart] === 0xff;
  const pathLength = length === undefined ? undefined : smallInteger(length);
  if (length !== undefined && pathLength === undefined) return failed("expected a path length from 0 to 255", length);
  return { ok: true, value: { ca, pathLength, defaultWritten: flag !== undefined && !ca } };
}

/** 0 to 255. */
function smallInteger(node: DerNode): number | undefined {
  if (node.tag !== INTEGER) return undefined;
  const [first, second, ...more] = contentOf(node);
  if (first === undefined || more.length > 0) return undefined;
  if (second === undefined) return first < 0x80 ? first : undefined;
  return first === 0 ? second : undefined;
}

/** RFC 5280 §4.2.1.2: the key id, not empty. */
export function readSubjectKeyId(value: Uint8Array): Read<Uint8Array> {
  const read = readDer(value, limits);
  if (!read.ok) return read;
  if (read.value.tag !== OCTET_STRING || read.value.end === read.value.contentStart)
    return failed("expected a key id, an OCTET STRING", read.value);
  return { ok: true, value: contentOf(read.value) };
}

/** RFC 5280 §4.2.1.1: the key id; undefined where issuer and serial number stand alone. */
export function readAuthorityKeyId(value: Uint8Array): Read<Uint8Array | undefined> {
  const read = readDer(value, limits);
  if (!read.ok) return read;
  if (read.value.tag !== SEQUENCE) return failed("expected an authority key id, a SEQUENCE", read.value);
  let last = 0;
  let keyId: Uint8Array | undefined;
  for (const node of read.value.parts) {
    if ((node.tag !== 0x80 && node.tag !== 0xa1 && node.tag !== 0x82) || (node.tag & 0x1f) < last)
      return failed("expected key id, issuer and serial number, each once", node);
    last = (node.tag & 0x1f) + 1;
    if (node.tag === 0x80) keyId = contentOf(node);
  }
  return { ok: true, value: keyId };
}

function failed(message: string, node: DerNode) {
  return { ok: false, fault: { message, offset: node.start } } as const;
}
