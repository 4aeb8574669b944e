import { type Extent, eachOf, memberOf, scalar, text } from "./extent.ts";
import { limits } from "./limits.ts";

/** What an author may call. What has no row here is refused, whether the library has it or not. */
export interface FunctionRow {
  readonly name: string;
  readonly kind: "function" | "method" | "loop" | "has";
  /** Numbers of arguments, without the receiver. */
  readonly counts: readonly number[];
  /** Ours, under the name with `_` behind it, in place of the library's. */
  readonly own?: true;
  readonly written: string;
  readonly meaning: string;
  /** Work beyond visiting the node; `values`: receiver first. */
  readonly work?: (values: readonly Extent[]) => number;
  /** How large what it returns can be; undefined: no text, no list. */
  readonly result?: (values: readonly Extent[]) => Extent;
}

/** Units for reading so many UTF-16 units once, in code of the engine and in ours. */
const read = ([subject = scalar]: readonly Extent[]) => subject.chars / 64;
const walk = ([subject = scalar]: readonly Extent[]) => subject.chars / 8;
/** Where every letter may make a piece of its own. */
const fold = ([subject = scalar]: readonly Extent[]) => subject.chars;
const find = ([subject = scalar, part = scalar]: readonly Extent[]) =>
  subject.chars / 64 + (subject.chars * Math.min(part.chars, limits.needle)) / 400;
const same = ([subject = scalar]: readonly Extent[]) => text(subject.chars);

/** THE table of what an expression can call. What has no row is refused. */
export const functions: readonly FunctionRow[] = [
  {
    name: "has",
    kind: "has",
    counts: [1],
    written: "has(a.b)",
    meaning: "is there a member `b`? Fails when `a` itself is missing",
  },
  {
    name: "size",
    kind: "function",
    counts: [1],
    own: true,
    written: "size(x)",
    meaning: "code points of a text, members of a list or map",
    work: walk,
  },
  { name: "size", kind: "method", counts: [0], own: true, written: "x.size()", meaning: "the same", work: walk },
  {
    name: "bool",
    kind: "function",
    counts: [1],
    written: "bool(x)",
    meaning: "of a text: `true`, `false`, `1`, `0`, `t`, `f`",
  },
  {
    name: "int",
    kind: "function",
    counts: [1],
    own: true,
    written: "int(x)",
    meaning: "of a text, a double (cut), a timestamp (Unix seconds)",
  },
  { name: "double", kind: "function", counts: [1], own: true, written: "double(x)", meaning: "of a text or an int" },
  {
    name: "string",
    kind: "function",
    counts: [1],
    own: true,
    written: "string(x)",
    meaning: "of a number, a bool, a timestamp, a duration",
    result: ([value = scalar]) => text(Math.max(40, value.chars)),
  },
  {
    name: "timestamp",
    kind: "function",
    counts: [1],
    own: true,
    written: "timestamp(x)",
    meaning: "of a text (RFC 3339), or Unix seconds, also as a double, as claims have them",
    work: () => 20,
  },
  {
    name: "duration",
    kind: "function",
    counts: [1],
    own: true,
    written: 'duration("1h30m")',
    meaning: "of a text as Go writes it",
    work: () => 40,
  },
  {
    name: "ip",
    kind: "function",
    counts: [1],
    written: "ip(text)",
    meaning: "the address in the form in which `source.address` is; fails when it is none",
    work: () => 20,
    result: () => text(45),
  },
  { name: "isIP", kind: "function", counts: [1], written: "isIP(text)", meaning: "is it an address?", work: () => 10 },
  {
    name: "cidr",
    kind: "function",
    counts: [1],
    written: 'cidr("10.0.0.0/8")',
    meaning: "a block of addresses; constant",
  },
  {
    name: "containsIP",
    kind: "method",
    counts: [1],
    written: 'cidr("10.0.0.0/8").containsIP(text)',
    meaning: "is the address in the block? Fails when it is none",
    work: () => 20,
  },
  {
    name: "pathTemplate",
    kind: "function",
    counts: [2],
    written: 'pathTemplate(text, "/users/{*}/files/{**}")',
    meaning: "Istio's path templates: `{*}` is one segment, `{**}` any number; constant",
    work: ([subject = scalar]) => subject.chars * 2,
  },
  {
    name: "glob",
    kind: "function",
    counts: [2],
    written: 'glob(text, "*.example.com")',
    meaning: "`*` is any text, also none; the rest is itself; constant",
    work: find,
  },
  {
    name: "matches",
    kind: "method",
    counts: [1],
    written: 'text.matches("^[a-z]+$")',
    meaning: "RE2 pattern, found anywhere unless anchored; constant",
  },
  {
    name: "startsWith",
    kind: "method",
    counts: [1],
    written: "text.startsWith(part)",
    meaning: "begins with it",
    work: read,
  },
  {
    name: "endsWith",
    kind: "method",
    counts: [1],
    written: "text.endsWith(part)",
    meaning: "ends with it",
    work: read,
  },
  {
    name: "contains",
    kind: "method",
    counts: [1],
    own: true,
    written: "text.contains(part)",
    meaning: `fails for a part of more than ${limits.needle} characters`,
    work: find,
  },
  {
    name: "lowerAscii",
    kind: "method",
    counts: [0],
    own: true,
    written: "text.lowerAscii()",
    meaning: "`A` to `Z` in lower case",
    work: fold,
    result: same,
  },
  {
    name: "upperAscii",
    kind: "method",
    counts: [0],
    own: true,
    written: "text.upperAscii()",
    meaning: "`a` to `z` in upper case",
    work: fold,
    result: same,
  },
  {
    name: "trim",
    kind: "method",
    counts: [0],
    own: true,
    written: "text.trim()",
    meaning: "without blanks at both ends",
    work: walk,
    result: same,
  },
  {
    name: "indexOf",
    kind: "method",
    counts: [1, 2],
    own: true,
    written: "text.indexOf(part, from)",
    meaning: "place in code points, or -1",
    work: (values) => find(values) + walk(values),
  },
  {
    name: "lastIndexOf",
    kind: "method",
    counts: [1],
    own: true,
    written: "text.lastIndexOf(part)",
    meaning: "the last place",
    work: (values) => find(values) + walk(values),
  },
  {
    name: "substring",
    kind: "method",
    counts: [1, 2],
    own: true,
    written: "text.substring(from, to)",
    meaning: "by code points; fails outside the text",
    work: walk,
    result: same,
  },
  {
    name: "split",
    kind: "method",
    counts: [1, 2],
    own: true,
    written: 'text.split(",", most)',
    meaning: `fails above ${limits.parts} parts`,
    work: (values) => find(values) + limits.parts,
    // The parts together are no longer than the text.
    result: ([subject = scalar]) => ({
      chars: 0,
      items: limits.parts,
      inner: text(subject.chars),
      each: text(subject.chars / limits.parts),
    }),
  },
  {
    name: "join",
    kind: "method",
    counts: [0, 1],
    own: true,
    written: 'list.join(",")',
    meaning: `fails above ${limits.madeText} characters`,
    work: ([list = scalar]) => list.items * 2 + limits.madeText / 64,
    result: () => text(limits.madeText),
  },
  { name: "exists", kind: "loop", counts: [2], written: "list.exists(x, …)", meaning: "holds for one at least" },
  {
    name: "all",
    kind: "loop",
    counts: [2],
    written: "list.all(x, …)",
    meaning: "holds for all; true for an empty list",
  },
  { name: "exists_one", kind: "loop", counts: [2], written: "list.exists_one(x, …)", meaning: "holds for exactly one" },
  { name: "filter", kind: "loop", counts: [2], written: "list.filter(x, …)", meaning: "those for which it holds" },
  {
    name: "map",
    kind: "loop",
    counts: [2, 3],
    written: "list.map(x, …)",
    meaning: "what comes of each; with three arguments, of those for which the second holds",
  },
  ...[
    "getFullYear",
    "getMonth",
    "getDate",
    "getDayOfMonth",
    "getDayOfWeek",
    "getHours",
    "getMinutes",
    "getSeconds",
  ].map(
    (name): FunctionRow => ({
      name,
      kind: "method",
      counts: [0],
      written: `time.${name}()`,
      meaning: "UTC; hours, minutes and seconds also of a duration, whole",
    }),
  ),
  {
    name: "getDayOfYear",
    kind: "method",
    counts: [0],
    own: true,
    written: "time.getDayOfYear()",
    meaning: "UTC, from 0",
  },
  {
    name: "getMilliseconds",
    kind: "method",
    counts: [0],
    own: true,
    written: "time.getMilliseconds()",
    meaning: "the part of a second; also of a duration",
  },
];

const byCall: ReadonlyMap<string, FunctionRow> = new Map(
  functions.flatMap((row) => row.counts.map((count) => [callKey(isReceived(row), row.name, count), row] as const)),
);

/** The row of a call, or undefined when it is not allowed. */
export function findFunction(received: boolean, name: string, count: number): FunctionRow | undefined {
  return byCall.get(callKey(received, name, count));
}

/** Is there one of this name with other arguments, or as a method? For people. */
export function functionsNamed(name: string): readonly FunctionRow[] {
  return functions.filter((row) => row.name === name);
}

function callKey(received: boolean, name: string, count: number): string {
  return `${received ? "." : ""}${name}/${count}`;
}

function isReceived({ kind }: FunctionRow): boolean {
  return kind === "method" || kind === "loop";
}

/** What a loop's variable and result are, beside the loop itself. */
export function loopResult(name: string, list: Extent, body: Extent): Extent {
  if (name === "filter") return { ...list, inner: orKey(memberOf(list)), each: eachOf(list) };
  return name === "map" ? { chars: 0, items: list.items, inner: body } : scalar;
}

/** Loops over a map make lists of its keys. */
function orKey(member: Extent): Extent {
  return member.chars >= limits.attributeText ? member : { ...member, chars: limits.attributeText };
}
