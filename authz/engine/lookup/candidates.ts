import type { PreparedView } from "../view.ts";

/**
 * The rules that a look-up has come upon, each once, of those that apply to the workload. One object serves every request of an
 * engine: a decision is synchronous, and nothing of it outlives the decision.
 */
export class Candidates {
  /** The first `size` are valid. */
  ids: Int32Array;
  size = 0;
  readonly #own: Int32Array;
  readonly #seenIn: Uint32Array;
  #round = 0;
  #view: PreparedView | undefined;

  constructor(rules: number) {
    this.#own = new Int32Array(rules);
    this.ids = this.#own;
    this.#seenIn = new Uint32Array(rules);
  }

  begin(view: PreparedView): void {
    this.ids = this.#own;
    this.size = 0;
    this.#view = view;
    this.#round++;
    if (this.#round > 0xffffffff) {
      this.#seenIn.fill(0);
      this.#round = 1;
    }
  }

  offer(rules: readonly number[]): void {
    const view = this.#view!;
    for (let i = 0; i < rules.length; i++) {
      const id = rules[i]!;
      if (!view.hasRule(id) || this.#seenIn[id] === this.#round) continue;
      this.#seenIn[id] = this.#round;
      this.ids[this.size++] = id;
    }
  }

  /** Instead of a look-up: these are all, each once. They are not written to. */
  take(rules: Int32Array): void {
    this.ids = rules;
    this.size = rules.length;
  }

  /** Rules that are known to apply, each once. */
  offerApplying(rules: Int32Array): void {
    for (let i = 0; i < rules.length; i++) {
      const id = rules[i]!;
      if (this.#seenIn[id] === this.#round) continue;
      this.#seenIn[id] = this.#round;
      this.ids[this.size++] = id;
    }
  }
}
