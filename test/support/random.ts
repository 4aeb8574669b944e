/** Seeded random choices (mulberry32): equal seeds give equal choices on every machine. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** A number in [0, 1). */
  fraction(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  /** A whole number from 0 up to, not including, `below`. */
  below(below: number): number {
    return Math.floor(this.fraction() * below);
  }

  /** A whole number from `low` to `high`, both included. */
  int(low: number, high: number): number {
    return low + this.below(high - low + 1);
  }

  chance(probability: number): boolean {
    return this.fraction() < probability;
  }

  pick<T>(items: readonly T[]): T {
    if (items.length === 0) throw new Error("nothing to pick from");
    return items[this.below(items.length)] as T;
  }

  list<T>(low: number, high: number, make: () => T): T[] {
    return Array.from({ length: this.int(low, high) }, make);
  }
}

/** `GARITA_SEED`, to run a failure again, else a new one; printed either way. */
export function testSeed(name: string): number {
  const seed = Number(process.env["GARITA_SEED"] ?? Math.floor(Math.random() * 2 ** 31));
  console.log(`${name}: GARITA_SEED=${seed}`);
  return seed;
}

/** `GARITA_RUNS`, or the default. */
export function runsFromEnvironment(byDefault: number): number {
  return Number(process.env["GARITA_RUNS"] ?? byDefault);
}
