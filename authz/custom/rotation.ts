/** An endpoint that failed is passed over for so long while others are left. */
const REST_MILLIS = 1000;

/** Takes endpoints in turn, those that lately failed last. */
export class Rotation<T> {
  readonly #all: readonly T[];
  readonly #restsUntil = new Map<T, number>();
  #next = 0;

  /** `all` is not empty. */
  constructor(all: readonly T[]) {
    this.#all = all;
  }

  take(nowMillis: number): T {
    let choice: T | undefined;
    for (let i = 0; i < this.#all.length; i++) {
      const candidate = this.#all[(this.#next + i) % this.#all.length]!;
      if ((this.#restsUntil.get(candidate) ?? 0) > nowMillis) continue;
      choice = candidate;
      this.#next += i + 1;
      break;
    }
    return choice ?? this.#all[this.#next++ % this.#all.length]!;
  }

  failed(one: T, nowMillis: number): void {
    this.#restsUntil.set(one, nowMillis + REST_MILLIS);
  }

  answered(one: T): void {
    this.#restsUntil.delete(one);
  }
}
