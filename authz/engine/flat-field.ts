import type { ByteString, FieldTest, TextTest, ValueTest } from "#policy-compiler/ruleset/model";
import { type Maybe, type RequestAttributes, UNKNOWN } from "./attributes.ts";
import type { Predicate } from "./field.ts";
import { FALSE, TRUE, type Truth, UNSURE } from "./kleene.ts";
import { isDots } from "./leaves/dots.ts";
import { foldAscii } from "./leaves/text.ts";
import type { FlatItem } from "./rule-body.ts";

/**
 * Fields laid flat: `[kind, end, whole field, …, values, values not wanted, (how, text) …]`. What cannot be said so, and
 * requests about which a flat test cannot be sure, are left to the whole field, a predicate as `compileField` makes it.
 */
const WHOLE = 0;
const HOST = 1;
const METHOD = 2;
const PATH = 3;
const HEADER = 4;
const NAMES = 5;

/** How a text compares. `SOME`: a lone `*` of a path, which is text without newlines; `ANY`: that of the others, presence alone. */
const EXACT = 0;
const PREFIX = 1;
const SUFFIX = 2;
const SOME = 3;
const ANY = 4;

/** Appends a field. `whole`: makes the predicate that means the same. */
export function flattenField(field: FieldTest, whole: () => Predicate, flat: FlatItem[]): void {
  const { attribute } = field;
  const at = flat.length;
  const tests = textsOf(field);
  flat.push(WHOLE, 0, whole());
  if (tests !== undefined) {
    flat[at] = kindOf(attribute);
    if (attribute.kind === "header") flat.push(ownCopy(attribute.name));
    flat.push(field.values.length, field.notValues.length);
    for (const test of tests) {
      flat.push(howOf(test, attribute), test.op === "present" ? "" : ownCopy(test.text));
    }
  }
  flat[at + 1] = flat.length;
}

/** Values, then those not wanted; undefined where the field cannot be laid flat. */
function textsOf({ attribute, values, notValues }: FieldTest): readonly TextTest[] | undefined {
  if (kindOf(attribute) === WHOLE) return undefined;
  const texts: TextTest[] = [];
  for (const value of [...values, ...notValues]) {
    const test = textOf(value, attribute);
    if (test === undefined) return undefined;
    texts.push(test);
  }
  return texts;
}

function textOf(value: ValueTest, attribute: FieldTest["attribute"]): TextTest | undefined {
  if (attribute.kind !== "identity") return value.kind === "text" ? value.test : undefined;
  return value.kind === "principal" && value.test.op === "exact" ? value.test : undefined;
}

function kindOf({ kind }: FieldTest["attribute"]): number {
  switch (kind) {
    case "host":
      return HOST;
    case "method":
      return METHOD;
    case "path":
      return PATH;
    case "header":
      return HEADER;
    case "identity":
      return NAMES;
    default:
      return WHOLE;
  }
}

function howOf({ op }: TextTest, { kind }: FieldTest["attribute"]): number {
  switch (op) {
    case "exact":
      return EXACT;
    case "prefix":
      return PREFIX;
    case "suffix":
      return SUFFIX;
    case "present":
      return kind === "path" ? SOME : ANY;
  }
}

/** PERF: texts that are made one after the other lie so in memory; those of the rule set lie where they were read. */
function ownCopy(text: ByteString): ByteString {
  let copy = "";
  for (let i = 0; i < text.length; i += COPIED) {
    const codes = Array.from({ length: Math.min(COPIED, text.length - i) }, (_, j) => text.charCodeAt(i + j));
    copy += String.fromCharCode(...codes);
  }
  return copy;
}

const COPIED = 1024;

/** The field that begins at `at`. */
export function testFlatField(flat: readonly FlatItem[], at: number, request: RequestAttributes): Truth {
  switch (flat[at]) {
    case HOST: {
      const host = request.http?.host;
      return testText(flat, at + 3, typeof host === "string" ? foldAscii(host) : host);
    }
    case METHOD:
      return testText(flat, at + 3, request.http?.method);
    case PATH:
      return testText(flat, at + 3, request.http?.path);
    case HEADER: {
      const header = request.http?.headers.get(flat[at + 3] as string);
      if (header === undefined) return absent(flat, at + 4);
      // Lines that were joined may match under one way to take them apart and not under another.
      return header.joined ? (flat[at + 2] as Predicate)(request) : testTexts(flat, at + 4, header.lines);
    }
    case NAMES: {
      const { peer } = request;
      if (peer === undefined) return absent(flat, at + 3);
      if (peer === UNKNOWN || !peer.complete || peer.opaque.length > 0) return (flat[at + 2] as Predicate)(request);
      return testTexts(flat, at + 3, peer.names);
    }
    default:
      return (flat[at + 2] as Predicate)(request);
  }
}

/** Nothing matches an attribute that is not there. `counts`: where the two numbers of values stand. */
function absent(flat: readonly FlatItem[], counts: number): Truth {
  return flat[counts] === 0 ? TRUE : FALSE;
}

function testText(flat: readonly FlatItem[], counts: number, text: Maybe<ByteString>): Truth {
  if (text === undefined) return absent(flat, counts);
  if (text === UNKNOWN) return flat[counts] === 0 && flat[counts + 1] === 0 ? TRUE : UNSURE;
  const values = flat[counts] as number;
  const first = counts + 2;
  const middle = first + 2 * values;
  if (values > 0 && !anyMatches(flat, first, middle, text)) return FALSE;
  return anyMatches(flat, middle, middle + 2 * (flat[counts + 1] as number), text) ? FALSE : TRUE;
}

/** As `testText`, of an attribute that has several texts: one that matches is enough. */
function testTexts(flat: readonly FlatItem[], counts: number, texts: readonly ByteString[]): Truth {
  const values = flat[counts] as number;
  const first = counts + 2;
  const middle = first + 2 * values;
  const end = middle + 2 * (flat[counts + 1] as number);
  let wanted = values === 0;
  for (let i = 0; i < texts.length; i++) {
    wanted ||= anyMatches(flat, first, middle, texts[i]!);
    if (middle < end && anyMatches(flat, middle, end, texts[i]!)) return FALSE;
  }
  return wanted ? TRUE : FALSE;
}

function anyMatches(flat: readonly FlatItem[], from: number, to: number, text: ByteString): boolean {
  for (let i = from; i < to; i += 2) {
    const wanted = flat[i + 1] as string;
    switch (flat[i]) {
      case EXACT:
        if (text === wanted) return true;
        break;
      case PREFIX:
        if (text.startsWith(wanted)) return true;
        break;
      case SUFFIX:
        if (text.endsWith(wanted)) return true;
        break;
      case SOME:
        if (text.length > 0 && isDots(text, 0, text.length)) return true;
        break;
      default:
        return true;
    }
  }
  return false;
}
