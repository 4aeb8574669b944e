import { childrenOf, contentOf, type DerElement, dottedOid, latin1Text, wholeElement } from "./der-element.ts";

/** One attribute of a distinguished name. `text` byte by byte: UTF-8 is not decoded. */
export interface NameAttribute {
  readonly oid: string;
  /** Of the string: 0x0c UTF8String, 0x13 PrintableString. */
  readonly stringTag: number;
  readonly bytes: Uint8Array;
  readonly text: string;
  /** Of how many attributes is its relative name? */
  readonly beside: number;
}

/** RFC 5280 §4.1.2.4: the attributes of a Name, in their order; undefined: no Name. */
export function readName(nameDer: Uint8Array): readonly NameAttribute[] | undefined {
  const name = wholeElement(nameDer);
  const sets = name?.tag === 0x30 ? childrenOf(name) : undefined;
  if (sets === undefined) return undefined;
  const attributes: NameAttribute[] = [];
  for (const set of sets) {
    const members = set.tag === 0x31 ? childrenOf(set) : undefined;
    if (members === undefined || members.length === 0) return undefined;
    for (const member of members) {
      const attribute = readAttribute(member, members.length);
      if (attribute === undefined) return undefined;
      attributes.push(attribute);
    }
  }
  return attributes;
}

function readAttribute(element: DerElement, beside: number): NameAttribute | undefined {
  const [type, value, ...more] = (element.tag === 0x30 ? childrenOf(element) : undefined) ?? [];
  if (type?.tag !== 0x06 || value === undefined || more.length > 0) return undefined;
  const oid = dottedOid(contentOf(type));
  const bytes = contentOf(value);
  return oid === undefined ? undefined : { oid, stringTag: value.tag, bytes, text: latin1Text(bytes), beside };
}
