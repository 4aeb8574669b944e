import type { ByteString } from "#policy-compiler/ruleset/model";
import { jsonNumberText } from "./number-text.ts";

/**
 * A claim as JSON in the bytes that protobuf would write: numbers as C writes them, characters that are not seen or that end a script as
 * escapes, no blanks. Members stand as in the value; Envoy's order changes from request to request. Protobuf: json/internal/writer.cc. Cost:
 * linear in the value.
 */
export function claimJson(value: unknown): ByteString {
  if (typeof value === "string") return jsonText(value);
  if (typeof value === "number") return jsonNumberText(value);
  if (typeof value === "boolean") return value ? "true" : "false";
  if (Array.isArray(value)) return `[${value.map(claimJson).join(",")}]`;
  if (typeof value !== "object" || value === null) return "null";
  const members = Object.entries(value).map(([name, member]) => `${jsonText(name)}:${claimJson(member)}`);
  return `{${members.join(",")}}`;
}

const named: ReadonlyMap<number, string> = new Map([
  [0x08, "\\b"],
  [0x09, "\\t"],
  [0x0a, "\\n"],
  [0x0c, "\\f"],
  [0x0d, "\\r"],
  [0x22, '\\"'],
  [0x5c, "\\\\"],
]);

/** Characters written as `\uXXXX`: first and last of each range, in order. */
const escaped: readonly (readonly [first: number, last: number])[] = [
  [0x00, 0x1f],
  [0x3c, 0x3c],
  [0x3e, 0x3e],
  [0x7f, 0x9f],
  [0xad, 0xad],
  [0x600, 0x603],
  [0x6dd, 0x6dd],
  [0x70f, 0x70f],
  [0x17b4, 0x17b5],
  [0x200b, 0x200f],
  [0x2028, 0x202e],
  [0x2060, 0x2064],
  [0x206a, 0x206f],
  [0xfeff, 0xfeff],
  [0xfff9, 0xfffb],
  [0x1d173, 0x1d17a],
  [0xe0001, 0xe0001],
  [0xe0020, 0xe007f],
];

function jsonText(bytes: ByteString): ByteString {
  let out = '"';
  let plain = 0;
  for (let i = 0; i < bytes.length; ) {
    if (isPlain(bytes.charCodeAt(i))) {
      i++;
      continue;
    }
    const { code, length } = characterAt(bytes, i);
    const replacement = named.get(code) ?? (mustEscape(code) ? unicodeEscape(code) : undefined);
    if (replacement !== undefined) {
      out += bytes.slice(plain, i) + replacement;
      plain = i + length;
    }
    i += length;
  }
  return `${out}${bytes.slice(plain)}"`;
}

/** PERF: what most texts consist of. ASCII that is seen, without `"`, `<`, `>` and `\`. */
function isPlain(code: number): boolean {
  return code >= 0x20 && code < 0x7f && code !== 0x22 && code !== 0x3c && code !== 0x3e && code !== 0x5c;
}

/** The character whose UTF-8 bytes begin here. A byte that begins none stands for itself. */
function characterAt(bytes: ByteString, at: number): { readonly code: number; readonly length: number } {
  const first = bytes.charCodeAt(at);
  const length = first < 0xc0 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  if (length === 1 || at + length > bytes.length) return { code: first, length: 1 };
  let code = first & (0xff >> (length + 1));
  for (let i = 1; i < length; i++) code = (code << 6) | (bytes.charCodeAt(at + i) & 0x3f);
  return { code, length };
}

function mustEscape(code: number): boolean {
  return escaped.some(([first, last]) => code >= first && code <= last);
}

function unicodeEscape(code: number): string {
  const units = code < 0x10000 ? [code] : [0xd7c0 + (code >> 10), 0xdc00 | (code & 0x3ff)];
  return units.map((unit) => `\\u${unit.toString(16).padStart(4, "0")}`).join("");
}
