import { hash } from "node:crypto";
import type { AuditEntry, AuditHead, AuditKind } from "#ca/store/contract";

/** What canonical JSON can hold here. A member that is undefined is left out. */
export type CanonicalValue =
  | string
  | number
  | boolean
  | readonly CanonicalValue[]
  | { readonly [member: string]: CanonicalValue | undefined };

/** What an entry says beside its number, time and kind. */
export type EntryBody = Readonly<Record<string, string | number | boolean | readonly string[] | undefined>>;

/** `previous` of the first entry. */
export const noPrevious = "0".repeat(64);

/** What is hashed of an entry. */
export interface EntryContent {
  readonly number: number;
  readonly atMillis: number;
  readonly kind: AuditKind;
  readonly body: EntryBody;
  readonly previous: string;
}

/**
 * The one JSON text of a value: members sorted by their UTF-16 units, no blanks, numbers and texts as ECMAScript writes them (RFC 8785 §3.2). Throws on a
 * number that JSON does not have: nothing else can be wrong.
 */
export function canonicalJson(value: CanonicalValue): string {
  if (typeof value === "number") {
    if (!Number.isFinite(value)) throw new RangeError("a number without a JSON form");
    return JSON.stringify(value);
  }
  if (typeof value !== "object") return JSON.stringify(value);
  if (isList(value)) return `[${value.map(canonicalJson).join(",")}]`;
  let out = "";
  for (const name of Object.keys(value).sort()) {
    const member = value[name];
    if (member === undefined) continue;
    out += `${out === "" ? "{" : ","}${JSON.stringify(name)}:${canonicalJson(member)}`;
  }
  return out === "" ? "{}" : `${out}}`;
}

/** The canonical text of an entry: `{at, body, kind, number, previous}`. */
export function canonicalEntry(content: EntryContent): string {
  const { atMillis: at, body, kind, number, previous } = content;
  return canonicalJson({ at, body, kind, number, previous });
}

/** SHA-256 of an entry's canonical text, hex. */
export function hashEntry(canonical: string): string {
  return hash("sha256", canonical, "hex");
}

/** Does the entry's text say what its members say, in canonical form? Answers its body, or undefined. Its hash is not looked at. */
export function bodyOfEntry(entry: AuditEntry): EntryBody | undefined {
  const parsed = parse(entry.canonical);
  if (parsed === undefined) return undefined;
  const { number, atMillis, kind, previous } = entry;
  const again = canonicalEntry({ number, atMillis, kind, previous, body: parsed });
  return again === entry.canonical ? parsed : undefined;
}

/** What the audit key signs: the head in canonical JSON, after a word that no other signature of ours begins with. */
export function headBytes(head: Omit<AuditHead, "signature">): Uint8Array {
  const { atMillis: at, auditKeyId, generation, hash: entryHash, number } = head;
  const text = canonicalJson({ at, auditKeyId, generation, hash: entryHash, number });
  return new TextEncoder().encode(`garita audit head 1\n${text}`);
}

function isList(value: object): value is readonly CanonicalValue[] {
  return Array.isArray(value);
}

function parse(canonical: string): EntryBody | undefined {
  try {
    const { body } = JSON.parse(canonical);
    return typeof body === "object" && body !== null ? body : undefined;
  } catch {
    // Whatever is no JSON is no entry: the caller says so with its number.
    return undefined;
  }
}
