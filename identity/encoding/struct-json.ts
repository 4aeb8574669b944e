import { isUtf8 } from "./byte-string.ts";

/**
 * A JSON value as protobuf's `google.protobuf.Struct` holds it. Texts and names are byte strings, objects have no prototype, numbers are
 * doubles.
 */
export type StructValue = null | boolean | number | string | StructList | Struct;
/** A JSON list. */
export type StructList = readonly StructValue[];
/** A JSON object. */
export interface Struct {
  readonly [name: string]: StructValue;
}

/** `at` counts bytes. `repeated`: the fault is a member of that name (a byte string) for the second time. */
export interface StructFault {
  readonly at: number;
  readonly fault: string;
  readonly repeated?: string;
}

export type StructRead = { readonly ok: true; readonly value: Struct } | ({ readonly ok: false } & StructFault);

/** Objects and lists inside each other, the outermost included. */
const deepest = 100;

/**
 * Reads the bytes of a JSON text, given as a byte string, the way protobuf reads them into a Struct with its legacy syntax on, as Envoy has
 * it: beyond RFC 8259 it takes single quotes, names without quotes, a comma at the end, control characters in texts, `\'` and `\U`, and
 * `null` for the outermost object; it refuses a name that comes twice in one object, numbers beyond double precision, and more than 100
 * levels. protobuf: json/internal/lexer.h, lexer.cc, parser.cc. Total. Cost: linear.
 */
export function readStruct(bytes: string): StructRead {
  const reader = new Reader(bytes);
  const value = reader.outermost();
  return value === failed ? { ok: false, ...reader.found } : { ok: true, value };
}

const marks = {
  end: -1,
  doubleQuote: 0x22,
  singleQuote: 0x27,
  comma: 0x2c,
  colon: 0x3a,
  openBracket: 0x5b,
  backslash: 0x5c,
  closeBracket: 0x5d,
  f: 0x66,
  n: 0x6e,
  t: 0x74,
  openBrace: 0x7b,
  closeBrace: 0x7d,
} as const;

const failed = Symbol("failed");
type Failed = typeof failed;

/** Each method returns what it read, or `failed` with the reason in `found`. */
class Reader {
  readonly #text: string;
  #at = 0;
  #depth = 0;
  found: StructFault = { at: 0, fault: "" };

  constructor(text: string) {
    this.#text = text;
  }

  outermost(): Struct | Failed {
    const value = this.#peek() === marks.n ? this.#null() : this.#object();
    if (value === failed) return failed;
    this.#space();
    return this.#at === this.#text.length ? value : this.#fail("text behind the JSON value");
  }

  #null(): Struct | Failed {
    return this.#word("null") ? Object.create(null) : this.#fail("no JSON value");
  }

  #value(): StructValue | Failed {
    switch (this.#peek()) {
      case marks.end:
        return this.#fail("the end of the text");
      case marks.openBrace:
        return this.#object();
      case marks.openBracket:
        return this.#list();
      case marks.doubleQuote:
      case marks.singleQuote:
        return this.#string();
      case marks.t:
        return this.#word("true") || this.#fail("no JSON value");
      case marks.f:
        return this.#word("false") ? false : this.#fail("no JSON value");
      case marks.n:
        return this.#word("null") ? null : this.#fail("no JSON value");
      default:
        return this.#number();
    }
  }

  #object(): Struct | Failed {
    if (!this.#take(marks.openBrace))
      return this.#fail(this.#at < this.#text.length ? "no JSON object" : "the end of the text");
    if (++this.#depth > deepest) return this.#fail(`more than ${deepest} levels`);
    const members: Record<string, StructValue> = Object.create(null);
    let comma = true;
    while (!this.#take(marks.closeBrace)) {
      if (!comma) return this.#fail("no comma or brace behind a member");
      const start = this.#at;
      const name = this.#name();
      if (name === failed) return failed;
      if (!this.#take(marks.colon)) return this.#fail("no colon behind a member name");
      if (name in members) {
        this.found = { at: start, fault: "a member twice", repeated: name };
        return failed;
      }
      const value = this.#value();
      if (value === failed) return failed;
      members[name] = value;
      comma = this.#take(marks.comma);
    }
    this.#depth--;
    return members;
  }

  #list(): StructList | Failed {
    this.#at++;
    if (++this.#depth > deepest) return this.#fail(`more than ${deepest} levels`);
    const items: StructValue[] = [];
    let comma = true;
    while (!this.#take(marks.closeBracket)) {
      if (!comma) return this.#fail("no comma or bracket behind an item");
      const item = this.#value();
      if (item === failed) return failed;
      items.push(item);
      comma = this.#take(marks.comma);
    }
    this.#depth--;
    return items;
  }

  #name(): string | Failed {
    const mark = this.#peek();
    if (mark === marks.doubleQuote || mark === marks.singleQuote) return this.#string();
    const bare = /[A-Za-z0-9_]+/y;
    bare.lastIndex = this.#at;
    const name = bare.exec(this.#text)?.[0];
    if (name === undefined || /^(?:[0-9].*|null|true|false)$/.test(name)) return this.#fail("no member name in quotes");
    this.#at += name.length;
    return name;
  }

  #string(): string | Failed {
    const text = this.#text;
    const quote = text.charCodeAt(this.#at++);
    let start = this.#at;
    let done = "";
    let plain = true;
    for (; this.#at < text.length; this.#at++) {
      const code = text.charCodeAt(this.#at);
      if (code === quote) {
        done += text.slice(start, this.#at);
        if (!plain && !isUtf8(done)) return this.#fail("a string that is no UTF-8");
        this.#at++;
        return done;
      }
      if (code > 0x7f) plain = false;
      if (code !== marks.backslash) continue;
      done += text.slice(start, this.#at++);
      const meant = this.#escape();
      if (meant === failed) return failed;
      done += meant;
      start = this.#at--;
    }
    return this.#fail("a string that does not end well");
  }

  /** Behind the backslash. */
  #escape(): string | Failed {
    const mark = this.#text[this.#at++] ?? "";
    const simple = simpleEscapes[mark];
    if (simple !== undefined) return simple;
    if (mark !== "u" && mark !== "U") return this.#fail("a string that does not end well");
    const unit = this.#hex();
    if (unit === undefined || (unit >= 0xdc00 && unit <= 0xdfff)) return this.#fail(brokenEscape);
    if (unit < 0xd800 || unit > 0xdbff) return utf8(unit);
    // White space is skipped here as between any two tokens.
    this.#space();
    if (!this.#word("\\u")) return this.#fail(brokenEscape);
    const low = this.#hex();
    if (low === undefined || low < 0xdc00 || low > 0xdfff) return this.#fail(brokenEscape);
    return utf8(0x10000 + ((unit & 0x3ff) << 10) + (low & 0x3ff));
  }

  #hex(): number | undefined {
    const digits = this.#text.slice(this.#at, this.#at + 4);
    if (!/^[0-9A-Fa-f]{4}$/.test(digits)) return undefined;
    this.#at += 4;
    return Number.parseInt(digits, 16);
  }

  #number(): number | Failed {
    numberToken.lastIndex = this.#at;
    if (!numberToken.test(this.#text)) return this.#fail("no JSON value");
    const value = Number(this.#text.slice(this.#at, numberToken.lastIndex));
    if (!Number.isFinite(value)) return this.#fail("a number beyond double precision");
    this.#at = numberToken.lastIndex;
    return value;
  }

  #word(word: string): boolean {
    if (!this.#text.startsWith(word, this.#at)) return false;
    this.#at += word.length;
    return true;
  }

  #take(mark: number): boolean {
    if (this.#peek() !== mark) return false;
    this.#at++;
    return true;
  }

  /** The first byte of what comes next. */
  #peek(): number {
    this.#space();
    return this.#at < this.#text.length ? this.#text.charCodeAt(this.#at) : marks.end;
  }

  #space(): void {
    for (; this.#at < this.#text.length; this.#at++) {
      const code = this.#text.charCodeAt(this.#at);
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return;
    }
  }

  #fail(fault: string): Failed {
    this.found = { at: this.#at, fault };
    return failed;
  }
}

const numberToken = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?/y;

const brokenEscape = "text with half a surrogate pair";

const simpleEscapes: Readonly<Record<string, string>> = Object.assign(Object.create(null), {
  '"': '"',
  "'": "'",
  "\\": "\\",
  "/": "/",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
});

/** The UTF-8 bytes of a code point, as a byte string (RFC 3629 §3). */
function utf8(point: number): string {
  const tail = (shift: number) => 0x80 | ((point >> shift) & 0x3f);
  if (point < 0x80) return String.fromCharCode(point);
  if (point < 0x800) return String.fromCharCode(0xc0 | (point >> 6), tail(0));
  if (point < 0x10000) return String.fromCharCode(0xe0 | (point >> 12), tail(6), tail(0));
  return String.fromCharCode(0xf0 | (point >> 18), tail(12), tail(6), tail(0));
}

/** Whether a value is an object: no list, no text, no number, no null. */
export function isObject(value: unknown): value is Struct {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
