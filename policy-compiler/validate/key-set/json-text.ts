/** A JSON value that keeps what `JSON.parse` forgets: the order of an object's members and their repetition. */
export type JsonValue =
  | { readonly kind: "null" }
  | { readonly kind: "boolean"; readonly value: boolean }
  | { readonly kind: "number"; readonly value: number }
  | { readonly kind: "string"; readonly value: string }
  | { readonly kind: "array"; readonly items: readonly JsonValue[] }
  | { readonly kind: "object"; readonly members: readonly JsonMember[] };

export interface JsonMember {
  readonly name: string;
  readonly value: JsonValue;
}

/** `end` is the offset behind the value; what follows it is for the caller to judge. `at` is where the text goes wrong. */
export type JsonRead =
  | { readonly ok: true; readonly value: JsonValue; readonly end: number }
  | { readonly ok: false; readonly at: number; readonly fault: string };

/** Deepest nesting read; Istio's reader gives up somewhere, and no key set comes near it. */
const deepest = 100;

/** Reads the first JSON value (RFC 8259) of a text. Total. */
export function readJson(text: string): JsonRead {
  const reader = new Reader(text);
  const value = reader.value(0);
  if (typeof value === "string") return { ok: false, at: reader.at, fault: value };
  return { ok: true, value, end: reader.at };
}

/** The last member of that name, as Go sees it. */
export function memberOf(value: JsonValue, name: string): JsonValue | undefined {
  return value.kind === "object" ? value.members.findLast((member) => member.name === name)?.value : undefined;
}

/** Each method returns what it read, or a fault in words; `at` then stands where it was found. */
class Reader {
  readonly #text: string;
  at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  value(depth: number): JsonValue | string {
    this.#space();
    if (depth > deepest) return `more than ${deepest} levels`;
    switch (this.#text[this.at]) {
      case undefined:
        return "the end of the text";
      case "{":
        return this.#object(depth);
      case "[":
        return this.#array(depth);
      case '"': {
        const text = this.#string();
        return text.ok ? { kind: "string", value: text.value } : text.fault;
      }
      default:
        return this.#word() ?? this.#number() ?? "no JSON value";
    }
  }

  #object(depth: number): JsonValue | string {
    const members: JsonMember[] = [];
    this.at++;
    if (this.#take("}")) return { kind: "object", members };
    do {
      this.#space();
      if (this.#text[this.at] !== '"') return "no member name in double quotes";
      const name = this.#string();
      if (!name.ok) return name.fault;
      if (!this.#take(":")) return "no colon behind a member name";
      const value = this.value(depth + 1);
      if (typeof value === "string") return value;
      members.push({ name: name.value, value });
    } while (this.#take(","));
    return this.#take("}") ? { kind: "object", members } : "no comma or brace behind a member";
  }

  #array(depth: number): JsonValue | string {
    const items: JsonValue[] = [];
    this.at++;
    if (this.#take("]")) return { kind: "array", items };
    do {
      const item = this.value(depth + 1);
      if (typeof item === "string") return item;
      items.push(item);
    } while (this.#take(","));
    return this.#take("]") ? { kind: "array", items } : "no comma or bracket behind an item";
  }

  #string(): { ok: true; value: string } | { ok: false; fault: string } {
    const token = /"(?:[^"\\\p{Cc}]|[\x7f-\x9f]|\\(?:["\\/bfnrt]|u[0-9A-Fa-f]{4}))*"/uy;
    token.lastIndex = this.at;
    const found = token.exec(this.#text)?.[0];
    if (found === undefined) return { ok: false, fault: "a string that does not end well" };
    this.at += found.length;
    return { ok: true, value: JSON.parse(found) };
  }

  #word(): JsonValue | undefined {
    const words: readonly [string, JsonValue][] = [
      ["true", { kind: "boolean", value: true }],
      ["false", { kind: "boolean", value: false }],
      ["null", { kind: "null" }],
    ];
    for (const [word, value] of words) {
      if (!this.#text.startsWith(word, this.at)) continue;
      this.at += word.length;
      return value;
    }
    return undefined;
  }

  #number(): JsonValue | string | undefined {
    const token = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?/y;
    token.lastIndex = this.at;
    const found = token.exec(this.#text)?.[0];
    if (found === undefined) return undefined;
    const value = Number(found);
    if (!Number.isFinite(value)) return "a number beyond double precision";
    this.at += found.length;
    return { kind: "number", value };
  }

  #take(mark: string): boolean {
    this.#space();
    if (this.#text[this.at] !== mark) return false;
    this.at++;
    return true;
  }

  #space(): void {
    while (" \t\r\n".includes(this.#text[this.at] ?? "x")) this.at++;
  }
}
