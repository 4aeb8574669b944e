/** A small seeded generator of numbers (mulberry32): the same seed gives the same sequence everywhere. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** A whole number from 0 up to, not including, `below`. */
  below(below: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  }

  pick<T>(values: readonly T[]): T {
    return values[this.below(values.length)] as T;
  }
}

/** `GARITA_SEED`, to run a failure again, else a new one; printed either way. */
export function testSeed(name: string): number {
  const seed = Number(process.env["GARITA_SEED"] ?? Math.floor(Math.random() * 2 ** 31));
  console.log(`${name}: GARITA_SEED=${seed}`);
  return seed;
}
