import { listInSteps, type Steps } from "../steps.ts";
import { type ByteReader, Malformed } from "./byte-reader.ts";
import { ByteWriter } from "./byte-writer.ts";

/**
 * Every text of a rule set, once. Narrow texts hold characters up to U+00FF (all byte strings, nearly every other) and take
 * a byte each; wide ones take two, lone surrogates included.
 */
export class StringTableWriter {
  readonly #narrow = new Map<string, number>();
  readonly #wide = new Map<string, number>();

  /** The number under which any text is found again. */
  text(text: string): number {
    return isNarrow(text) ? numberOf(this.#narrow, text) * 2 : numberOf(this.#wide, text) * 2 + 1;
  }

  /** The number of a text that is known to be a byte string. */
  byteString(text: string): number {
    if (!isNarrow(text)) throw new Error("a byte string has a character beyond U+00FF");
    return numberOf(this.#narrow, text);
  }

  toBytes(): Uint8Array {
    const out = new ByteWriter();
    writeTexts(out, [...this.#narrow.keys()], 1);
    writeTexts(out, [...this.#wide.keys()], 2);
    return out.toBytes();
  }
}

export class StringTable {
  readonly #narrow: readonly string[];
  readonly #wide: readonly string[];

  private constructor(narrow: readonly string[], wide: readonly string[]) {
    this.#narrow = narrow;
    this.#wide = wide;
  }

  static *read(input: ByteReader): Steps<StringTable> {
    const narrow = yield* readTexts(input, 1);
    const wide = yield* readTexts(input, 2);
    for (const text of wide) if (isNarrow(text)) throw new Malformed("a narrow text is written wide");
    return new StringTable(narrow, wide);
  }

  text(number: number): string {
    return number % 2 === 0 ? lookUp(this.#narrow, number / 2) : lookUp(this.#wide, (number - 1) / 2);
  }

  byteString(number: number): string {
    return lookUp(this.#narrow, number);
  }
}

function isNarrow(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0xff) return false;
  return true;
}

function numberOf(table: Map<string, number>, text: string): number {
  const known = table.get(text);
  if (known !== undefined) return known;
  table.set(text, table.size);
  return table.size - 1;
}

function lookUp(table: readonly string[], number: number): string {
  const text = table[number];
  if (text === undefined) throw new Malformed("a text is not in the table");
  return text;
}

/** Lengths first, then all characters in one run. */
function writeTexts(out: ByteWriter, texts: readonly string[], size: 1 | 2): void {
  out.uint(texts.length);
  for (const text of texts) out.uint(text.length);
  for (const text of texts) out.characters(text, size);
}

function* readTexts(input: ByteReader, size: 1 | 2): Steps<readonly string[]> {
  let total = 0;
  const lengths = yield* listInSteps(input.count(), () => {
    const length = input.uint();
    total += length;
    return length;
  });
  const bytes = input.raw(total * size);
  const texts = new Array<string>(lengths.length);
  let at = 0;
  for (let next = 0; next < lengths.length; ) {
    const first = next;
    let length = lengths[next++]!;
    while (next < lengths.length && length + lengths[next]! <= runSize) length += lengths[next++]!;
    const run = charactersOf(bytes.subarray(at * size, (at + length) * size), size);
    at += length;
    for (let i = first, start = 0; i < next; i++) {
      const end = start + lengths[i]!;
      texts[i] = run.slice(start, end);
      start = end;
    }
    yield;
  }
  return texts;
}

/**
 * PERF: one text for a run of many, of which the texts of the table are slices; one for all would be made in one long step, and kept by each of
 * them. ASCII goes through the decoder, which is native; no decoder leaves the other bytes and lone surrogates as they are.
 */
function charactersOf(bytes: Uint8Array, size: 1 | 2): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += runSize * size) {
    const part = bytes.subarray(at, at + runSize * size);
    if (size === 1 && isAscii(part)) text += decoder.decode(part);
    else text += fromCodes(size === 1 ? part : pairsOf(part));
  }
  return text;
}

const decoder = new TextDecoder();

/** As many arguments as one call may safely have. */
const runSize = 8192;

function isAscii(bytes: Uint8Array): boolean {
  for (let i = 0; i < bytes.length; i++) if (bytes[i]! > 0x7f) return false;
  return true;
}

function fromCodes(codes: Uint8Array | Uint16Array): string {
  return String.fromCharCode.apply(undefined, codes as unknown as number[]);
}

function pairsOf(bytes: Uint8Array): Uint16Array {
  const pairs = new Uint16Array(bytes.length / 2);
  for (let i = 0; i < pairs.length; i++) pairs[i] = bytes[i * 2]! | (bytes[i * 2 + 1]! << 8);
  return pairs;
}
