import type { DerFault, Read } from "./contract.ts";
import { contentOf, type DerNode, oidOf, readDer } from "./der.ts";
import { bytesOf, element, oidElement, textElement } from "./encode.ts";

const SEQUENCE = 0x30;
const SET = 0x31;

/** One attribute of a distinguished name. `text` is undefined for values that are no text. */
export interface NameAttribute {
  /** Dotted. */
  readonly oid: string;
  readonly text: string | undefined;
}

/** What keeps an element from being a Name (RFC 5280 §4.1.2.4): a SEQUENCE of SETs of type and value. Values may be anything. */
export function nameFault(node: DerNode): DerFault | undefined {
  if (node.tag !== SEQUENCE) return { message: "expected a name, a SEQUENCE", offset: node.start };
  for (const set of node.parts) {
    if (set.tag !== SET || set.parts.length === 0) return { message: "expected a SET in a name", offset: set.start };
    for (const attribute of set.parts) {
      if (attribute.tag !== SEQUENCE || attribute.parts.length !== 2 || attribute.parts[0]!.tag !== 0x06)
        return { message: "expected type and value in a name", offset: attribute.start };
    }
  }
  return undefined;
}

/** The attributes of a name that has no `nameFault`, in their order. */
export function attributesOf(name: DerNode): readonly NameAttribute[] {
  return name.parts.flatMap((set) =>
    set.parts.map((attribute) => ({ oid: oidOf(attribute.parts[0]!)!, text: textOf(attribute.parts[1]!) })),
  );
}

/** Reads the DER of a Name. */
export function readName(nameDer: Uint8Array): Read<readonly NameAttribute[]> {
  const read = readDer(nameDer, { sizeBytes: 8 * 1024, depth: 8 });
  if (!read.ok) return read;
  const fault = nameFault(read.value);
  return fault === undefined ? { ok: true, value: attributesOf(read.value) } : { ok: false, fault };
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const utf16 = new TextDecoder("utf-16be", { ignoreBOM: true });

function textOf(value: DerNode): string | undefined {
  const content = contentOf(value);
  switch (value.tag) {
    case 0x0c:
      return decodedUtf8(content);
    case 0x12:
    case 0x13:
    case 0x14:
    case 0x16:
    case 0x1a:
      return Buffer.from(content.buffer, content.byteOffset, content.byteLength).toString("latin1");
    case 0x1e:
      return utf16.decode(content);
    default:
      return undefined;
  }
}

function decodedUtf8(content: Uint8Array): string | undefined {
  try {
    return utf8.decode(content);
  } catch {
    return undefined; // Bytes that are no UTF-8 are no text: said by the return type.
  }
}

/**
 * A name for people: `O=example.org, CN=root 1` in the order of the certificate, `(empty)` for none. Not to be parsed or compared (RFC 4514 is not claimed):
 * bytes are compared. Control characters and what marks another attribute are escaped. Bytes that are no name are said to be so.
 */
export function renderName(nameDer: Uint8Array): string {
  const read = readName(nameDer);
  if (!read.ok) return "(no name)";
  if (read.value.length === 0) return "(empty)";
  return read.value
    .map(({ oid, text }) => `${shortNames.get(oid) ?? oid}=${text === undefined ? "(no text)" : escaped(text)}`)
    .join(", ");
}

const shortNames: ReadonlyMap<string, string> = new Map([
  ["2.5.4.3", "CN"],
  ["2.5.4.5", "serialNumber"],
  ["2.5.4.6", "C"],
  ["2.5.4.7", "L"],
  ["2.5.4.8", "ST"],
  ["2.5.4.10", "O"],
  ["2.5.4.11", "OU"],
  ["0.9.2342.19200300.100.1.25", "DC"],
]);

function escaped(text: string): string {
  return text.replace(/[\p{C}\p{Zl}\p{Zp}\\,=]/gu, (char) =>
    /[\\,=]/.test(char) ? `\\${char}` : `\\u{${char.codePointAt(0)!.toString(16)}}`,
  );
}

/** The DER of a Name with an organization and, if given, a common name, both as UTF8String (RFC 5280 §4.1.2.4). Throws for an empty text. */
export function encodeName(organization: string, commonName: string | undefined): Uint8Array {
  const attributes = [attribute("2.5.4.10", organization)];
  if (commonName !== undefined) attributes.push(attribute("2.5.4.3", commonName));
  return bytesOf(element(SEQUENCE, attributes.join("")));
}

function attribute(oid: string, text: string): string {
  if (text === "") throw new Error("a name needs a text");
  return element(SET, element(SEQUENCE, oidElement(oid) + textElement(0x0c, text)));
}
