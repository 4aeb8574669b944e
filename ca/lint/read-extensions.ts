import type { GeneralName } from "#ca/x509/contract";
import { childrenOf, contentOf, type DerElement, dottedOid, latin1Text, wholeElement } from "./der-element.ts";

/** Bits of key usage by their numbers (RFC 5280 §4.2.1.3): bit 0 is the lowest of `bits` here. */
export const keyUsageBits = {
  digitalSignature: 1 << 0,
  nonRepudiation: 1 << 1,
  keyEncipherment: 1 << 2,
  dataEncipherment: 1 << 3,
  keyAgreement: 1 << 4,
  keyCertSign: 1 << 5,
  cRLSign: 1 << 6,
  encipherOnly: 1 << 7,
  decipherOnly: 1 << 8,
} as const;

export interface KeyUsage {
  readonly bits: number;
  /** Written without zero bits at its end (X.690 §11.2.2), and with the unused ones zero (§11.2.1). */
  readonly minimal: boolean;
}

/** RFC 5280 §4.2.1.3. Undefined: no BIT STRING. Bits that have no name are kept. */
export function readKeyUsage(value: Uint8Array): KeyUsage | undefined {
  const element = wholeElement(value);
  if (element?.tag !== 0x03) return undefined;
  const [unused, ...octets] = contentOf(element);
  if (unused === undefined || unused > 7 || octets.length > 3 || (octets.length === 0 && unused > 0)) return undefined;
  let bits = 0;
  for (let i = 0; i < octets.length * 8 - unused; i++) if ((octets[i >> 3]! & (0x80 >> (i & 7))) !== 0) bits |= 1 << i;
  const last = octets.at(-1);
  return { bits, minimal: last === undefined || (last & ((1 << (unused + 1)) - 1)) === 1 << unused };
}

export interface BasicConstraints {
  readonly ca: boolean;
  /** FALSE is the default, and a default is not written (X.690 §11.5). */
  readonly defaultWritten: boolean;
  readonly pathLength: number | undefined;
}

/** RFC 5280 §4.2.1.9. Undefined: of another form, or a path length that is negative or above 32767. */
export function readBasicConstraints(value: Uint8Array): BasicConstraints | undefined {
  const rest = membersOf(value);
  if (rest === undefined) return undefined;
  const flag = rest[0]?.tag === 0x01 ? contentOf(rest.shift()!) : undefined;
  if (flag !== undefined && (flag.length !== 1 || (flag[0] !== 0 && flag[0] !== 0xff))) return undefined;
  const length = rest[0]?.tag === 0x02 ? contentOf(rest.shift()!) : undefined;
  if (rest.length > 0) return undefined;
  const ca = flag?.[0] === 0xff;
  const defaultWritten = flag !== undefined && !ca;
  if (length === undefined) return { ca, defaultWritten, pathLength: undefined };
  if (length.length < 1 || length.length > 2 || length[0]! >= 0x80) return undefined;
  return { ca, defaultWritten, pathLength: length.reduce((sum, octet) => sum * 256 + octet, 0) };
}

/** RFC 5280 §4.2.1.12: the purposes, dotted, in their order. */
export function readExtendedKeyUsage(value: Uint8Array): readonly string[] | undefined {
  const purposes: string[] = [];
  for (const member of membersOf(value) ?? [undefined]) {
    const purpose = member?.tag === 0x06 ? dottedOid(contentOf(member)) : undefined;
    if (purpose === undefined) return undefined;
    purposes.push(purpose);
  }
  return purposes;
}

/** RFC 5280 §4.2.1.2. */
export function readSubjectKeyId(value: Uint8Array): Uint8Array | undefined {
  const element = wholeElement(value);
  return element?.tag === 0x04 ? contentOf(element) : undefined;
}

export interface AuthorityKeyId {
  readonly keyId: Uint8Array | undefined;
  /** Are there the issuer's name and serial, which nobody here writes? */
  readonly namesIssuer: boolean;
}

/** RFC 5280 §4.2.1.1. */
export function readAuthorityKeyId(value: Uint8Array): AuthorityKeyId | undefined {
  const rest = membersOf(value);
  if (rest === undefined) return undefined;
  const keyId = rest[0]?.tag === 0x80 ? contentOf(rest.shift()!) : undefined;
  const namesIssuer = rest.length > 0;
  return rest.every(({ tag }) => tag === 0xa1 || tag === 0x82) ? { keyId, namesIssuer } : undefined;
}

/** RFC 5280 §4.2.1.6: every name, in the order in which they stand. Texts byte by byte, whatever they are. */
export function readSubjectAltName(value: Uint8Array): readonly GeneralName[] | undefined {
  return membersOf(value)?.map(generalName);
}

function generalName(element: DerElement): GeneralName {
  const content = contentOf(element);
  if (element.tag === 0x86) return { kind: "uri", value: latin1Text(content) };
  if (element.tag === 0x82) return { kind: "dns", value: latin1Text(content) };
  if (element.tag === 0x81) return { kind: "email", value: latin1Text(content) };
  if (element.tag === 0x87) return { kind: "ip", bytes: content };
  return { kind: "other", tag: element.tag };
}

function membersOf(value: Uint8Array): DerElement[] | undefined {
  const sequence = wholeElement(value);
  return sequence?.tag === 0x30 ? (childrenOf(sequence) as DerElement[] | undefined) : undefined;
}
