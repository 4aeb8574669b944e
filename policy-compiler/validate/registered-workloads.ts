import type { DocumentSet } from "#policy-compiler/document/model";

export interface Label {
  readonly key: string;
  readonly value: string;
}

/**
 * The workloads that the folder registers, by namespace: WorkloadEntries and the inline endpoints of ServiceEntries, with the labels
 * that policies select them by.
 */
export class RegisteredWorkloads {
  readonly #byNamespace = new Map<string, RegisteredScope>();
  readonly #all = new RegisteredScope();

  constructor({ workloads, services }: Pick<DocumentSet, "workloads" | "services">) {
    for (const { head, labels } of workloads) {
      // Labels of the metadata win over those of the spec (Istio: ConvertWorkloadEntry).
      const own = [...head.labels].map(([key, { value }]) => [key, value] as const);
      this.#add(head.namespace.value, new Map([...labels, ...own]));
    }
    for (const { head, endpoints } of services) {
      for (const { labels } of endpoints) this.#add(head.namespace.value, labels);
    }
  }

  /** Is none registered? Then nothing is known of where policies apply. */
  get isEmpty(): boolean {
    return this.#all.isEmpty;
  }

  get namespaces(): readonly string[] {
    return [...this.#byNamespace.keys()].toSorted();
  }

  /** The workloads of a namespace, all of them without one; undefined when there is none. */
  scope(namespace: string | undefined): RegisteredScope | undefined {
    return namespace === undefined ? this.#all : this.#byNamespace.get(namespace);
  }

  #add(namespace: string, labels: ReadonlyMap<string, string>): void {
    const scope = this.#byNamespace.get(namespace) ?? new RegisteredScope();
    this.#byNamespace.set(namespace, scope);
    scope.add(labels);
    this.#all.add(labels);
  }
}

/** Workloads among which a selector looks. */
export class RegisteredScope {
  #count = 0;
  readonly #byLabel = new Map<string, { readonly label: Label; readonly workloads: Set<number> }>();

  get isEmpty(): boolean {
    return this.#count === 0;
  }

  /** Every label that a workload has, sorted by its text. */
  get labels(): readonly Label[] {
    return [...this.#byLabel].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, { label }]) => label);
  }

  add(labels: ReadonlyMap<string, string>): void {
    const workload = this.#count++;
    for (const [key, value] of labels) {
      const known = this.#byLabel.get(nameOf({ key, value }));
      if (known !== undefined) known.workloads.add(workload);
      else this.#byLabel.set(nameOf({ key, value }), { label: { key, value }, workloads: new Set([workload]) });
    }
  }

  has(label: Label): boolean {
    return this.#byLabel.has(nameOf(label));
  }

  /** Does one workload have all of them? */
  fits(wanted: readonly Label[]): boolean {
    const [first, ...others] = wanted
      .map((label) => this.#byLabel.get(nameOf(label))?.workloads ?? new Set<number>())
      .toSorted((a, b) => a.size - b.size);
    if (first === undefined) return !this.isEmpty;
    return [...first].some((workload) => others.every((workloads) => workloads.has(workload)));
  }
}

function nameOf({ key, value }: Label): string {
  return `${key}\0${value}`;
}
