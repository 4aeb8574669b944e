import { compareBackwards } from "#policy-compiler/ruleset/compare-backwards";
import type { ByteString } from "#policy-compiler/ruleset/model";
import type { Steps } from "#policy-compiler/ruleset/steps";
import type { Candidates } from "./candidates.ts";

/** Texts that are looked at between two interruptions. */
const STEP = 4096;

type Filed = readonly (readonly [text: ByteString, rules: readonly number[]])[];

/**
 * Rules filed under prefixes (or suffixes, read backwards) in a sorted list where each text knows the longest other one that it
 * begins with. That is a radix trie laid flat: every prefix of a text is the text's neighbour in the list or an ancestor of
 * that neighbour. One binary search finds them all, nothing is copied, and loading makes no nodes.
 */
export class Affixes {
  readonly #texts: readonly ByteString[];
  readonly #rules: readonly (readonly number[])[];
  readonly #parents: Int32Array;
  readonly #backwards: boolean;

  private constructor(sorted: Filed, parents: Int32Array, backwards: boolean) {
    this.#texts = sorted.map(([text]) => text);
    this.#rules = sorted.map(([, rules]) => rules);
    this.#parents = parents;
    this.#backwards = backwards;
  }

  static *prepare(filed: Filed, backwards: boolean): Steps<Affixes> {
    const compare = backwards ? compareBackwards : compareForwards;
    const sorted = (yield* isAscending(filed, compare)) ? filed : filed.toSorted(([a], [b]) => compare(a, b));
    const parents = new Int32Array(sorted.length);
    for (let i = 0; i < sorted.length; i++) {
      const text = sorted[i]![0];
      let parent = i - 1;
      while (parent >= 0 && !begins(text, sorted[parent]![0], backwards)) parent = parents[parent]!;
      parents[i] = parent;
      if (i % STEP === STEP - 1) yield;
    }
    return new Affixes(sorted, parents, backwards);
  }

  /** Offers the rules of every text that `text` begins (ends) with. */
  find(text: ByteString, candidates: Candidates): void {
    let at = this.#backwards ? this.#lastBackwards(text) : this.#last(text);
    while (at >= 0 && !begins(text, this.#texts[at]!, this.#backwards)) at = this.#parents[at]!;
    for (; at >= 0; at = this.#parents[at]!) candidates.offer(this.#rules[at]!);
  }

  /** The place of the last text that does not stand behind `text`; -1 when all do. */
  #last(text: ByteString): number {
    const texts = this.#texts;
    let low = 0;
    let high = texts.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (texts[middle]! <= text) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  #lastBackwards(text: ByteString): number {
    const texts = this.#texts;
    let low = 0;
    let high = texts.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (compareBackwards(texts[middle]!, text) <= 0) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }
}

function begins(text: ByteString, affix: ByteString, backwards: boolean): boolean {
  return backwards ? text.endsWith(affix) : text.startsWith(affix);
}

function* isAscending(filed: Filed, compare: (a: ByteString, b: ByteString) => number): Steps<boolean> {
  for (let i = 1; i < filed.length; i++) {
    if (compare(filed[i - 1]![0], filed[i]![0]) > 0) return false;
    if (i % STEP === STEP - 1) yield;
  }
  return true;
}

function compareForwards(a: ByteString, b: ByteString): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
