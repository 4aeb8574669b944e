import type { GeneralName } from "./contract.ts";
import { contentLatin1, contentOf, type DerNode, readDer } from "./der.ts";

const limits = { sizeBytes: 16 * 1024, depth: 12 };

/** No authority of a mesh has more; whoever sends one in a chain must not make us compare all day. */
const mostSubtrees = 64;

/**
 * What keeps names out of an authority's name constraints (RFC 5280 §4.2.1.10, X509-SVID §4.2); undefined: they are within. `value` is the content of the
 * extension's OCTET STRING. Constraints of URIs (by host, which is the trust domain), DNS names and IP addresses are understood. One of another kind is
 * no matter to a certificate without such names; one with them is refused, for nobody here could tell. A URI without a host is refused where URIs
 * are constrained. Never throws. At most 64 subtrees are taken.
 */
export function nameConstraintsFault(
  value: Uint8Array,
  names: readonly GeneralName[],
  subjectDer: Uint8Array,
): string | undefined {
  const constraints = readNameConstraints(value);
  if (constraints === undefined) return "name constraints that cannot be read";
  const { permitted, excluded } = constraints;
  // A subject is a name too, of the kind directoryName.
  const all: readonly GeneralName[] =
    subjectDer.length > 2 ? [...names, { kind: "other", tag: DIRECTORY_NAME }] : names;
  for (const name of all) {
    const forbidding = excluded.filter(({ tag }) => tag === tagOf(name));
    const allowing = permitted.filter(({ tag }) => tag === tagOf(name));
    if (forbidding.length === 0 && allowing.length === 0) continue;
    const forbidden = forbidding.map((subtree) => isWithin(name, subtree));
    const allowed = allowing.map((subtree) => isWithin(name, subtree));
    if (forbidden.includes(undefined) || allowed.includes(undefined))
      return `name constraints of a kind that is not understood, or a name that they cannot be compared with: ${shown(name)}`;
    if (forbidden.includes(true)) return `name constraints exclude ${shown(name)}`;
    if (allowing.length > 0 && !allowed.includes(true)) return `name constraints do not permit ${shown(name)}`;
  }
  return undefined;
}

interface NameConstraints {
  readonly permitted: readonly DerNode[];
  readonly excluded: readonly DerNode[];
}

function readNameConstraints(value: Uint8Array): NameConstraints | undefined {
  const read = readDer(value, limits);
  if (!read.ok || read.value.tag !== 0x30 || read.value.parts.length === 0) return undefined;
  const rest = [...read.value.parts];
  const permitted = rest[0]?.tag === 0xa0 ? basesOf(rest.shift()!) : [];
  const excluded = rest[0]?.tag === 0xa1 ? basesOf(rest.shift()!) : [];
  if (permitted === undefined || excluded === undefined || rest.length > 0) return undefined;
  return permitted.length + excluded.length > mostSubtrees ? undefined : { permitted, excluded };
}

/** The bases of subtrees. `minimum` and `maximum` are not used by the RFC's profile: whoever has them is not understood. */
function basesOf({ parts }: DerNode): readonly DerNode[] | undefined {
  const bases = parts.flatMap((subtree) => (subtree.tag === 0x30 && subtree.parts.length === 1 ? subtree.parts : []));
  return bases.length === parts.length && bases.length > 0 ? bases : undefined;
}

const DIRECTORY_NAME = 0xa4;
const EMAIL = 0x81;
const DNS = 0x82;
const URI = 0x86;
const IP = 0x87;

function tagOf(name: GeneralName): number {
  switch (name.kind) {
    case "uri":
      return URI;
    case "dns":
      return DNS;
    case "ip":
      return IP;
    case "email":
      return EMAIL;
    case "other":
      return name.tag;
  }
}

/** Undefined: cannot be told. */
function isWithin(name: GeneralName, subtree: DerNode): boolean | undefined {
  switch (name.kind) {
    case "uri":
      return isUriWithin(name.value, contentLatin1(subtree).toLowerCase());
    case "dns":
      return isDnsWithin(name.value.toLowerCase(), contentLatin1(subtree).toLowerCase());
    case "ip":
      return isIpWithin(name.bytes, contentOf(subtree));
    case "email":
    case "other":
      return undefined;
  }
}

/** A host is meant alone; with a dot in front, everything below it and not itself. */
function isUriWithin(uri: string, base: string): boolean | undefined {
  const host = /^[a-z][a-z0-9+.-]*:\/\/([^/?#@:[\]]+)(?:[/?#]|$)/i.exec(uri)?.[1]?.toLowerCase();
  if (host === undefined || base === "") return undefined;
  return base.startsWith(".") ? host.length > base.length && host.endsWith(base) : host === base;
}

/** A name is meant with everything below it; the empty one with all. */
function isDnsWithin(name: string, base: string): boolean {
  const plain = base.startsWith(".") ? base.slice(1) : base;
  return plain === "" || name.endsWith(`.${plain}`) || (name === plain && plain === base);
}

/** Address and mask, one behind the other. */
function isIpWithin(address: Uint8Array, base: Uint8Array): boolean | undefined {
  if (base.length !== 8 && base.length !== 32) return undefined;
  const half = base.length / 2;
  return (
    address.length === half && address.every((octet, i) => (octet & base[half + i]!) === (base[i]! & base[half + i]!))
  );
}

function shown(name: GeneralName): string {
  if (name.kind === "ip") return `the address ${Buffer.from(name.bytes).toString("hex")}`;
  if (name.kind === "other") return `a name of the tag ${name.tag}`;
  return `\`${name.value.replace(/[^\x21-\x7e]/g, "?").slice(0, 100)}\``;
}
