import { toAsciiLowerCase } from "#policy-compiler/ruleset/byte-string";
import type { ByteString } from "#policy-compiler/ruleset/model";
import type { TextSpans } from "./text-spans.ts";

const NO_LINES: readonly ByteString[] = Object.freeze([]);

/** With more lines than this, the first look-up builds an index, so that many look-ups stay linear in the message. */
const INDEX_FROM = 48;

/**
 * The headers of a decoded request, looked up by lower-case name. Names that the caller wrote with capitals (Envoy does not)
 * are read as lower case; bytes beyond ASCII stay as they are.
 */
export class HeaderTable {
  readonly #slab: string;
  readonly #spans: TextSpans;
  /** False: the entries of the joined map, where a name occurs once. */
  readonly #raw: boolean;
  #index: Map<ByteString, ByteString[]> | undefined;

  constructor(slab: string, spans: TextSpans, raw: boolean) {
    this.#slab = slab;
    this.#spans = spans;
    this.#raw = raw;
  }

  /** Every line of the header, in order; of the joined map at most one. PERF: allocates for hits only. */
  lines(name: ByteString): readonly ByteString[] {
    if (this.#spans.length > INDEX_FROM * 4) {
      this.#index ??= this.#buildIndex();
      return this.#index.get(name) ?? NO_LINES;
    }
    const spans = this.#spans;
    let found: ByteString[] | undefined;
    let key = 0;
    for (let i = 0; i < spans.length; i += 4) {
      const start = spans[i] as number;
      if ((spans[i + 1] as number) - start !== name.length || !this.#isName(start, name)) continue;
      if (found === undefined) {
        found = [this.#value(i)];
        key = i;
      } else if (this.#raw) {
        found.push(this.#value(i));
      } else {
        // Rare: entries of the joined map under one name, either the same key twice or written with different capitals.
        return this.#joinedLines(name, key);
      }
    }
    return found ?? NO_LINES;
  }

  /** The names that begin with `prefix`, in wire order, in lower case, each once. PERF: allocates for hits only. */
  namesBeginning(prefix: ByteString): readonly ByteString[] {
    const spans = this.#spans;
    let found: Set<ByteString> | undefined;
    for (let i = 0; i < spans.length; i += 4) {
      const start = spans[i] as number;
      if ((spans[i + 1] as number) - start < prefix.length || !this.#isName(start, prefix)) continue;
      found ??= new Set();
      found.add(this.#name(i));
    }
    return found === undefined ? NO_LINES : [...found];
  }

  /** A map holds the last of equal keys; keys that differ in capitals only are one header, joined as Envoy joins lines. */
  #joinedLines(name: ByteString, from: number): readonly ByteString[] {
    const byKey = new Map<ByteString, ByteString>();
    for (let i = from; i < this.#spans.length; i += 4) {
      if (this.#name(i) === name) byKey.set(this.#key(i), this.#value(i));
    }
    return [[...byKey.values()].join(",")];
  }

  #buildIndex(): Map<ByteString, ByteString[]> {
    const index = new Map<ByteString, ByteString[]>();
    if (this.#raw) {
      for (let i = 0; i < this.#spans.length; i += 4) {
        const lines = index.get(this.#name(i));
        if (lines === undefined) index.set(this.#name(i), [this.#value(i)]);
        else lines.push(this.#value(i));
      }
      return index;
    }
    const byKey = new Map<ByteString, ByteString>();
    for (let i = 0; i < this.#spans.length; i += 4) byKey.set(this.#key(i), this.#value(i));
    for (const [key, value] of byKey) {
      const name = toAsciiLowerCase(key);
      const lines = index.get(name);
      if (lines === undefined) index.set(name, [value]);
      else lines[0] = `${lines[0]},${value}`;
    }
    return index;
  }

  #isName(start: number, name: ByteString): boolean {
    for (let i = 0; i < name.length; i++) {
      const byte = this.#slab.charCodeAt(start + i);
      const wanted = name.charCodeAt(i);
      if (byte !== wanted && !(byte >= 0x41 && byte <= 0x5a && byte + 0x20 === wanted)) return false;
    }
    return true;
  }

  #key(i: number): ByteString {
    return this.#slab.substring(this.#spans[i] as number, this.#spans[i + 1] as number);
  }

  #name(i: number): ByteString {
    return toAsciiLowerCase(this.#key(i));
  }

  #value(i: number): ByteString {
    return this.#slab.substring(this.#spans[i + 2] as number, this.#spans[i + 3] as number);
  }
}
