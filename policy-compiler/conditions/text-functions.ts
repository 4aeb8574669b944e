import type { Environment } from "@marcbachmann/cel-js";
import { toAsciiLowerCase } from "#policy-compiler/ruleset/byte-string";
import { faults } from "./evaluation-fault.ts";
import { limits } from "./limits.ts";

const sync = { async: false } as const;

/**
 * Functions on text that stand in for the library's: those fold letters beyond ASCII, count UTF-16 units where CEL counts code points,
 * and make texts and lists of any size. The names end in `_`, which no author can write (`walk.ts`).
 */
export function registerTextFunctions(environment: Environment): void {
  const on = (signature: string, run: (...values: never[]) => unknown) =>
    environment.registerFunction(signature, run, sync);
  on("string.lowerAscii_(): string", lowerAscii);
  on("string.upperAscii_(): string", upperAscii);
  on("string.trim_(): string", trim);
  on("string.contains_(string): bool", (text: string, part: string) => text.includes(bounded(part, text)));
  on("size_(string): int", sizeOf);
  on("string.size_(): int", sizeOf);
  for (const type of ["list", "map"]) {
    on(`size_(${type}): int`, (members: { readonly length?: number; readonly size?: number }) =>
      BigInt(members.length ?? members.size ?? 0),
    );
    on(`${type}.size_(): int`, (members: { readonly length?: number; readonly size?: number }) =>
      BigInt(members.length ?? members.size ?? 0),
    );
  }
  on("string.indexOf_(string): int", (text: string, part: string) =>
    pointsBefore(text, text.indexOf(bounded(part, text))),
  );
  on("string.indexOf_(string, int): int", indexOf);
  on("string.lastIndexOf_(string): int", (text: string, part: string) =>
    pointsBefore(text, text.lastIndexOf(bounded(part, text))),
  );
  on("string.substring_(int): string", (text: string, start: bigint) => text.slice(unitAt(text, start)));
  on("string.substring_(int, int): string", (text: string, start: bigint, end: bigint) => {
    if (start > end) throw faults.outOfRange;
    return text.slice(unitAt(text, start), unitAt(text, end));
  });
  on("string.split_(string): list<string>", (text: string, separator: string) => split(text, separator, -1n));
  on("string.split_(string, int): list<string>", split);
  on("list<string>.join_(): string", (parts: readonly unknown[]) => join(parts, ""));
  on("list<string>.join_(string): string", join);
}

/** Unicode White_Space, which CEL trims; JavaScript has a byte order mark more and U+0085 less. */
function isBlank(code: number): boolean {
  if (code < 0x80) return code === 0x20 || (code >= 0x09 && code <= 0x0d);
  return (
    code === 0x85 ||
    code === 0xa0 ||
    code === 0x1680 ||
    (code >= 0x2000 && code <= 0x200a) ||
    code === 0x2028 ||
    code === 0x2029 ||
    code === 0x202f ||
    code === 0x205f ||
    code === 0x3000
  );
}

function trim(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isBlank(text.charCodeAt(start))) start++;
  while (end > start && isBlank(text.charCodeAt(end - 1))) end--;
  return text.slice(start, end);
}

/** PERF: what the engine does to ASCII is what is wanted, and quick; letters beyond are left as they are. */
const beyondAscii = /[^\0-\x7f]/;

function lowerAscii(text: string): string {
  return beyondAscii.test(text) ? toAsciiLowerCase(text) : text.toLowerCase();
}

function upperAscii(text: string): string {
  if (!beyondAscii.test(text)) return text.toUpperCase();
  return text.replace(/[a-z]+/g, (letters) => letters.toUpperCase());
}

/** PERF and bound: looking for a long text in a long text can take their product; the library of the engine has no better bound. */
function bounded(part: string, text: string): string {
  // A text that is longer than the other does not occur in it, and is cheap.
  if (part.length > limits.needle && part.length <= text.length) throw faults.tooLong;
  return part;
}

function sizeOf(text: string): bigint {
  return pointsBefore(text, text.length);
}

/** Code points before a place in UTF-16 units; -1 stays. */
function pointsBefore(text: string, unit: number): bigint {
  if (unit < 0) return -1n;
  let pairs = 0;
  for (let i = 0; i + 1 < unit; i++) {
    if (!isPair(text, i)) continue;
    pairs++;
    i++;
  }
  return BigInt(unit - pairs);
}

/** The place in UTF-16 units behind so many code points. */
function unitAt(text: string, points: bigint): number {
  if (points < 0n || points > BigInt(text.length)) throw faults.outOfRange;
  let unit = 0;
  for (let left = Number(points); left > 0; left--) {
    if (unit >= text.length) throw faults.outOfRange;
    unit += isPair(text, unit) ? 2 : 1;
  }
  return unit;
}

function isPair(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  if (code < 0xd800 || code > 0xdbff) return false;
  const next = text.charCodeAt(at + 1);
  return next >= 0xdc00 && next <= 0xdfff;
}

function indexOf(text: string, part: string, from: bigint): bigint {
  const start = unitAt(text, from);
  if (part === "") return from;
  // As the other implementations have it: the end of the text is no place to look from.
  if (start === text.length) throw faults.outOfRange;
  return pointsBefore(text, text.indexOf(bounded(part, text), start));
}

/** `count` below 0: all parts; else at most so many, the last being the rest. */
function split(text: string, separator: string, count: bigint): readonly string[] {
  if (count === 0n) return [];
  bounded(separator, text);
  const most = count < 0n || count > limits.parts ? limits.parts + 1 : Number(count);
  const parts = separator === "" ? Array.from(text.slice(0, 2 * most + 2)) : text.split(separator, most);
  if (separator !== "" && parts.length === most && most === Number(count)) {
    const before = parts.slice(0, most - 1).reduce((units, part) => units + part.length + separator.length, 0);
    return [...parts.slice(0, most - 1), text.slice(before)];
  }
  if (separator === "" && count > 0n && parts.length > most) {
    const kept = parts.slice(0, most - 1);
    return [...kept, text.slice(kept.join("").length)];
  }
  if (parts.length > limits.parts) throw faults.tooManyParts;
  return parts;
}

function join(parts: readonly unknown[], separator: string): string {
  let length = 0;
  for (const part of parts) {
    if (typeof part !== "string") throw faults.notText;
    length += part.length + separator.length;
    if (length > limits.madeText) throw faults.tooLong;
  }
  return parts.join(separator);
}
