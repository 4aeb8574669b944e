import type { Workload } from "./attributes.ts";

interface Kept<V> {
  readonly key: string;
  /** Undefined when it had to go. */
  value: V | undefined;
  /** Asked for since it was last in danger. */
  used: boolean;
}

/**
 * Keeps what was made for a workload, by its complete description, so that equal descriptions share it. Bounded: when it is
 * full, one goes that was not asked for lately (second chance).
 */
export class ViewCache<V> {
  readonly #make: (workload: Workload) => V;
  readonly #limit: number;
  readonly #byKey = new Map<string, Kept<V>>();
  /** PERF: a caller that keeps its workload objects spares itself the making of a key. */
  readonly #byObject = new WeakMap<Workload, Kept<V>>();

  constructor(limit: number, make: (workload: Workload) => V) {
    this.#limit = limit;
    this.#make = make;
  }

  get size(): number {
    return this.#byKey.size;
  }

  get(workload: Workload): V {
    const known = this.#byObject.get(workload);
    if (known?.value !== undefined) {
      known.used = true;
      return known.value;
    }
    const key = describe(workload);
    const kept = this.#byKey.get(key) ?? { key, value: undefined, used: false };
    const value = kept.value ?? this.#make(workload);
    if (kept.value === undefined) {
      if (this.#byKey.size >= this.#limit) this.#dropOne();
      kept.value = value;
      this.#byKey.set(key, kept);
    } else {
      kept.used = true;
    }
    this.#byObject.set(workload, kept);
    return value;
  }

  #dropOne(): void {
    for (const kept of this.#byKey.values()) {
      this.#byKey.delete(kept.key);
      if (!kept.used) {
        // INVARIANT: callers that still hold the workload object must not keep its view alive.
        kept.value = undefined;
        return;
      }
      kept.used = false;
      this.#byKey.set(kept.key, kept);
    }
  }
}

/** INVARIANT: every member of `Workload` is in the key; the order of labels is not. */
function describe({ namespace, name, labels, kind, gateway, service }: Workload): string {
  const sorted = [...labels].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  return JSON.stringify([
    namespace,
    name ?? null,
    kind,
    gateway ?? null,
    service === undefined ? null : [service.namespace, service.name, service.kind ?? null],
    sorted,
  ]);
}
