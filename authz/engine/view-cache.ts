import type { Workload } from "./attributes.ts";

/**
 * Keeps what was made for a workload, by its complete description, so that equal descriptions share it. Bounded: when it is
 * full the one that was not asked for longest goes.
 */
export class ViewCache<V> {
  readonly #make: (workload: Workload) => V;
  readonly #limit: number;
  readonly #byKey = new Map<string, V>();
  /** PERF: a caller that keeps its workload objects spares itself the making of a key. */
  readonly #byObject = new WeakMap<Workload, V>();

  constructor(limit: number, make: (workload: Workload) => V) {
    this.#limit = limit;
    this.#make = make;
  }

  get size(): number {
    return this.#byKey.size;
  }

  get(workload: Workload): V {
    const known = this.#byObject.get(workload);
    if (known !== undefined) return known;
    const key = describe(workload);
    let view = this.#byKey.get(key);
    if (view === undefined) {
      view = this.#make(workload);
      if (this.#byKey.size >= this.#limit) {
        const [oldest] = this.#byKey.keys();
        if (oldest !== undefined) this.#byKey.delete(oldest);
      }
    } else {
      this.#byKey.delete(key);
    }
    this.#byKey.set(key, view);
    this.#byObject.set(workload, view);
    return view;
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
