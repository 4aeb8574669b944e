import type { Span } from "#policy-compiler/source/diagnostic";
import { yamlLimits } from "./limits.ts";
import { canonicalInteger, resolvePlain } from "./resolve-plain.ts";
import type { YamlEntry, YamlMapping, YamlNode, YamlScalar, YamlSequence } from "./tree.ts";

export interface SimpleDocument {
  /** Undefined when the document is empty. */
  readonly root: YamlNode | undefined;
  readonly nodes: number;
}

/**
 * Reads one document that is written the way nearly all policies are: block collections of plain keys, scalars on one
 * line, flow collections on one line, or JSON. Undefined when anything else stands there, be it an error or only unusual;
 * then `readWithLibrary` reads the document.
 *
 * PERF: about ten times the speed of the library, which alone would take half the time of a compilation.
 * INVARIANT: what is read here, the library reads to the same tree.
 */
export function readSimple(text: string, start: number, end: number): SimpleDocument | undefined {
  const reader = new SimpleReader(text, start, end);
  try {
    const root = reader.readDocument();
    return { root, nodes: reader.nodes };
  } catch (error) {
    if (error === unusual) return undefined;
    throw error;
  }
}

/** Thrown to give up; caught by `readSimple` only. */
const unusual = Symbol("unusual");

const space = 0x20;
const lineFeed = 0x0a;
const carriageReturn = 0x0d;
const hash = 0x23;
const colon = 0x3a;
const hyphen = 0x2d;
const comma = 0x2c;
const doubleQuote = 0x22;
const singleQuote = 0x27;
const backslash = 0x5c;
const openBracket = 0x5b;
const closeBracket = 0x5d;
const openBrace = 0x7b;
const closeBrace = 0x7d;

/** For each ASCII unit: may it stand in a plain key, begin a plain scalar, stand inside one? */
const inKey = unitTable("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_./-");
const beginsKey = unitTable("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_./");
const beginsPlain = unitTable("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_./+(~=;^$<");
const inFlowPlain = unitTable("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_./+~=*@-");

function unitTable(characters: string): Uint8Array {
  const table = new Uint8Array(128);
  for (const character of characters) table[character.charCodeAt(0)] = 1;
  return table;
}

class SimpleReader {
  readonly #text: string;
  readonly #end: number;
  #at: number;
  #lineStart: number;
  nodes = 0;

  constructor(text: string, start: number, end: number) {
    this.#text = text;
    this.#end = end;
    this.#at = start;
    this.#lineStart = start;
  }

  /** Undefined for an empty document. */
  readDocument(): YamlNode | undefined {
    if (!this.#toContent()) return undefined;
    const first = this.#peek();
    const root =
      first === openBrace || first === openBracket ? this.#readFlow(0, true) : this.#readBlock(this.#column(), 0);
    if (first === openBrace || first === openBracket) this.#endLine();
    if (this.#toContent()) throw unusual;
    return root;
  }

  /** The unit at an offset; a line feed for both kinds of line ends, and at the end of the document. */
  #peek(offset = this.#at): number {
    if (offset >= this.#end) return lineFeed;
    const unit = this.#text.charCodeAt(offset);
    return unit === carriageReturn ? lineFeed : unit;
  }

  #column(): number {
    return this.#at - this.#lineStart;
  }

  /** Goes from the start of a line to the next content, over blank lines and comments. False at the end. */
  #toContent(): boolean {
    while (this.#at < this.#end) {
      const unit = this.#text.charCodeAt(this.#at);
      if (unit === space) this.#at++;
      else if (unit === lineFeed || unit === carriageReturn) this.#nextLine();
      else if (unit === hash) this.#skipLine();
      else if (unit < space) throw unusual;
      else return true;
    }
    return false;
  }

  /** INVARIANT: a carriage return stands only before a line feed (`decodeText`). */
  #nextLine(): void {
    this.#at += this.#text.charCodeAt(this.#at) === carriageReturn ? 2 : 1;
    this.#lineStart = this.#at;
  }

  #skipLine(): void {
    const feed = this.#text.indexOf("\n", this.#at);
    this.#at = feed === -1 || feed >= this.#end ? this.#end : feed;
    if (this.#at < this.#end) this.#nextLine();
  }

  #skipSpaces(): void {
    while (this.#at < this.#end && this.#text.charCodeAt(this.#at) === space) this.#at++;
  }

  /** Goes over the rest of a line that holds at most a comment. */
  #endLine(): void {
    const before = this.#at;
    this.#skipSpaces();
    const unit = this.#peek();
    if (unit === hash && this.#at > before) this.#skipLine();
    else if (unit !== lineFeed) throw unusual;
    else if (this.#at < this.#end) this.#nextLine();
  }

  /** Content after a value on one line: what is indented deeper would continue the value. */
  #endValue(indent: number): void {
    this.#endLine();
    if (this.#toContent() && this.#column() > indent) throw unusual;
  }

  #count(depth: number): void {
    if (++this.nodes > yamlLimits.documentNodes || depth > yamlLimits.depth) throw unusual;
  }

  /** A block collection whose first item stands here, in this column. */
  #readBlock(column: number, depth: number): YamlNode {
    return this.#isItem() ? this.#readBlockSequence(column, depth) : this.#readBlockMapping(column, depth);
  }

  #isItem(): boolean {
    return this.#peek() === hyphen && this.#peek(this.#at + 1) === space;
  }

  #readBlockSequence(column: number, depth: number): YamlSequence {
    this.#count(depth + 1);
    const start = this.#at;
    const items: YamlNode[] = [];
    do {
      this.#at++;
      this.#skipSpaces();
      items.push(this.#readItem(column, depth + 1));
      // ORDER: every reader of a value ends on the next content.
    } while (this.#at < this.#end && this.#column() === column && this.#isItem());
    if (this.#at < this.#end && this.#column() > column) throw unusual;
    return { kind: "sequence", span: { start, end: items[items.length - 1]!.span.end }, items };
  }

  /** An item behind its hyphen: a compact collection, or a value on this line. */
  #readItem(column: number, depth: number): YamlNode {
    const unit = this.#peek();
    if (unit === lineFeed || unit === hash) throw unusual;
    if (this.#isItem()) return this.#readBlockSequence(this.#column(), depth);
    const start = this.#at;
    if (this.#atKey()) {
      this.#at = start;
      return this.#readBlockMapping(this.#column(), depth);
    }
    this.#at = start;
    return this.#readInline(column, depth);
  }

  /** Does a key with its colon stand here? Moves the place; the caller sets it back. */
  #atKey(): boolean {
    const unit = this.#peek();
    if (unit === doubleQuote || unit === singleQuote) this.#skipQuoted(unit);
    else {
      if (unit >= 128 || beginsKey[unit] === 0) return false;
      while (this.#peek() < 128 && inKey[this.#peek()] === 1) this.#at++;
    }
    return this.#peek() === colon && this.#isBlank(this.#peek(this.#at + 1));
  }

  #isBlank(unit: number): boolean {
    return unit === space || unit === lineFeed;
  }

  #readBlockMapping(column: number, depth: number): YamlMapping {
    this.#count(depth + 1);
    const start = this.#at;
    const entries: YamlEntry[] = [];
    do {
      const key = this.#readKey();
      if (this.#peek() !== colon || !this.#isBlank(this.#peek(this.#at + 1))) throw unusual;
      this.#at++;
      addEntry(entries, key, this.#readValue(key, column, depth + 1));
    } while (this.#at < this.#end && this.#column() === column && !this.#isItem());
    if (this.#at < this.#end && this.#column() > column) throw unusual;
    return { kind: "mapping", span: { start, end: entries[entries.length - 1]!.value.span.end }, entries };
  }

  #readKey(): YamlScalar {
    this.#count(0);
    const start = this.#at;
    const unit = this.#peek();
    if (unit === doubleQuote || unit === singleQuote) return this.#readQuoted(unit);
    if (unit >= 128 || beginsKey[unit] === 0) throw unusual;
    while (this.#peek() < 128 && inKey[this.#peek()] === 1) this.#at++;
    const key = plainScalar(this.#text.slice(start, this.#at), { start, end: this.#at });
    const isText = typeof key.value === "string" && key.elsewhere === undefined;
    if (isText || (typeof key.value === "number" && canonicalInteger.test(key.text))) return key;
    throw unusual;
  }

  /** The value behind a key's colon, on this line or below. */
  #readValue(key: YamlScalar, column: number, depth: number): YamlNode {
    this.#skipSpaces();
    const unit = this.#peek();
    if (unit !== lineFeed && unit !== hash) return this.#readInline(column, depth);
    this.#endLine();
    if (this.#toContent()) {
      const below = this.#column();
      if (below > column) return this.#readBlockBelow(below, depth);
      if (below === column && this.#isItem()) return this.#readBlockSequence(below, depth);
    }
    this.#count(depth);
    return { kind: "scalar", span: key.span, value: null, text: "", style: "plain", elsewhere: undefined };
  }

  #readBlockBelow(column: number, depth: number): YamlNode {
    const start = this.#at;
    const isCollection = this.#isItem() || this.#atKey();
    this.#at = start;
    if (!isCollection) throw unusual;
    return this.#readBlock(column, depth);
  }

  /** A value on this line, inside a collection in column `indent`. Ends on the next content. */
  #readInline(indent: number, depth: number): YamlNode {
    const unit = this.#peek();
    let value: YamlNode;
    if (unit === openBrace || unit === openBracket) value = this.#readFlow(depth, false);
    else if (unit === doubleQuote || unit === singleQuote) value = this.#readQuoted(unit);
    else value = this.#readPlain();
    if (value.kind === "scalar") this.#count(depth);
    this.#endValue(indent);
    return value;
  }

  /** A plain scalar to the end of its line. */
  #readPlain(): YamlScalar {
    const start = this.#at;
    const first = this.#peek();
    if (first >= 128 || beginsPlain[first] === 0) throw unusual;
    let end = start;
    for (; ; this.#at++) {
      const unit = this.#peek();
      if (unit === lineFeed) break;
      if (unit === space) continue;
      if (unit < space || unit > 0x7e) throw unusual;
      if (unit === hash && this.#at > end) break;
      if (unit === colon && this.#isBlank(this.#peek(this.#at + 1))) throw unusual;
      end = this.#at + 1;
    }
    this.#at = end;
    return plainScalar(this.#text.slice(start, end), { start, end });
  }

  /** Goes behind the closing quote on the same line. True when there was an escape. */
  #skipQuoted(quote: number): boolean {
    let escaped = false;
    for (this.#at++; ; this.#at++) {
      const unit = this.#peek();
      if (unit < space) throw unusual;
      if (unit === quote) break;
      if (unit === backslash && quote === doubleQuote) {
        escaped = true;
        this.#at++;
        if (this.#peek() < space) throw unusual;
      }
    }
    this.#at++;
    // Two single quotes are an escape.
    if (quote === singleQuote && this.#peek() === singleQuote) throw unusual;
    return escaped;
  }

  #readQuoted(quote: number): YamlScalar {
    const start = this.#at;
    const escaped = this.#skipQuoted(quote);
    const end = this.#at;
    const text = escaped ? unescapeJson(this.#text.slice(start, end)) : this.#text.slice(start + 1, end - 1);
    return { kind: "scalar", span: { start, end }, value: text, text, style: "quoted", elsewhere: undefined };
  }

  /** A flow collection; on one line, unless it is the whole document. */
  #readFlow(depth: number, multiline: boolean): YamlNode {
    this.#count(depth + 1);
    const start = this.#at;
    const isMapping = this.#peek() === openBrace;
    const close = isMapping ? closeBrace : closeBracket;
    const items: YamlNode[] = [];
    const entries: YamlEntry[] = [];
    this.#at++;
    this.#skipFlowSpace(multiline);
    while (this.#peek() !== close) {
      if (isMapping) this.#readFlowEntry(entries, depth + 1, multiline);
      else items.push(this.#readFlowValue(depth + 1, multiline));
      this.#skipFlowSpace(multiline);
      if (this.#peek() === close) break;
      if (this.#peek() !== comma) throw unusual;
      this.#at++;
      this.#skipFlowSpace(multiline);
      if (this.#peek() === close) throw unusual;
    }
    this.#at++;
    const span = { start, end: this.#at };
    return isMapping ? { kind: "mapping", span, entries } : { kind: "sequence", span, items };
  }

  #skipFlowSpace(multiline: boolean): void {
    for (;;) {
      this.#skipSpaces();
      if (!multiline || this.#at >= this.#end || this.#peek() !== lineFeed) return;
      this.#nextLine();
    }
  }

  #readFlowEntry(entries: YamlEntry[], depth: number, multiline: boolean): void {
    const isQuoted = this.#peek() === doubleQuote || this.#peek() === singleQuote;
    const key = this.#readKey();
    if (this.#peek() !== colon || !(isQuoted || this.#peek(this.#at + 1) === space)) throw unusual;
    this.#at++;
    this.#skipFlowSpace(multiline);
    addEntry(entries, key, this.#readFlowValue(depth, multiline));
  }

  #readFlowValue(depth: number, multiline: boolean): YamlNode {
    const unit = this.#peek();
    if (unit === openBrace || unit === openBracket) return this.#readFlow(depth, multiline);
    this.#count(depth);
    const value = unit === doubleQuote || unit === singleQuote ? this.#readQuoted(unit) : this.#readFlowPlain();
    // Behind a quoted item a colon makes a pair.
    if (this.#peek() === colon) throw unusual;
    return value;
  }

  #readFlowPlain(): YamlScalar {
    const start = this.#at;
    if (this.#peek() >= 128 || beginsPlain[this.#peek()] === 0) {
      const isNegative =
        this.#peek() === hyphen && this.#peek(this.#at + 1) >= 0x30 && this.#peek(this.#at + 1) <= 0x39;
      if (!isNegative) throw unusual;
    }
    while (this.#peek() < 128 && inFlowPlain[this.#peek()] === 1) this.#at++;
    if (this.#at === start) throw unusual;
    return plainScalar(this.#text.slice(start, this.#at), { start, end: this.#at });
  }
}

function addEntry(entries: YamlEntry[], key: YamlScalar, value: YamlNode): void {
  if (entries.length >= manyEntries) throw unusual;
  for (const entry of entries) if (entry.key.text === key.text) throw unusual;
  entries.push({ key, value });
}

/** Beyond, comparing every pair of keys is dear. */
const manyEntries = 64;

function plainScalar(text: string, span: Span): YamlScalar {
  const { value, elsewhere } = resolvePlain(text);
  return { kind: "scalar", span, value, text, style: "plain", elsewhere };
}

/** The text of a quoted scalar with JSON's escapes; the other escapes of YAML are unusual. */
function unescapeJson(quoted: string): string {
  let text: unknown;
  try {
    text = JSON.parse(quoted);
  } catch {
    throw unusual;
  }
  if (typeof text !== "string" || text.includes("\0") || !text.isWellFormed()) throw unusual;
  return text;
}
