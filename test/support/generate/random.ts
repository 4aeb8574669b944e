/** Seeded random choices for generators: equal seeds give equal choices on every machine (mulberry32). */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** A number in [0, 1). */
  fraction(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  }

  /** A whole number from `low` to `high`, both included. */
  int(low: number, high: number): number {
    return low + Math.floor(this.fraction() * (high - low + 1));
  }

  chance(probability: number): boolean {
    return this.fraction() < probability;
  }

  pick<T>(items: readonly T[]): T {
    if (items.length === 0) throw new Error("nothing to pick from");
    return items[this.int(0, items.length - 1)] as T;
  }

  list<T>(low: number, high: number, make: () => T): T[] {
    return Array.from({ length: this.int(low, high) }, make);
  }
}

/** `GARITA_SEED`, or one from the clock; printed so that a failure can be run again. */
export function seedFromEnvironment(): number {
  const seed = Number(process.env["GARITA_SEED"] ?? Date.now() % 4294967296);
  console.log(`seed ${seed}: run again with GARITA_SEED=${seed}`);
  return seed;
}

/** `GARITA_RUNS`, or the default. */
export function runsFromEnvironment(byDefault: number): number {
  return Number(process.env["GARITA_RUNS"] ?? byDefault);
}
