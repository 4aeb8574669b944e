import type { RequestAttributes } from "#authz/engine/attributes";
import type { RuleIndex, RuleSet } from "#policy-compiler/ruleset/model";
import type { Steps } from "#policy-compiler/ruleset/steps";
import type { PreparedView } from "../view.ts";
import type { Candidates } from "./candidates.ts";
import { type DimensionLookup, prepareDimension } from "./dimension.ts";

/** The four indexes of a rule set; a view keeps for each, under its number, where its look-ups begin. */
export const indexSlots = { http: 0, tcp: 1, customHttp: 2, customTcp: 3 } as const satisfies Record<
  keyof RuleSet["index"],
  number
>;
export type IndexSlot = (typeof indexSlots)[keyof typeof indexSlots];

/** Where the look-ups of one workload begin. */
export interface Start {
  /** Rules that every request has to ask: without anchors, or found by the workload alone. */
  readonly rules: Int32Array;
  /** These are all there are: the requests' own attributes need not be looked up. */
  readonly complete: boolean;
}

/** A rule index made ready for look-ups. */
export class PreparedIndex {
  readonly #index: RuleIndex;
  readonly #lookups: readonly DimensionLookup[];
  readonly #scanUpTo: number;
  readonly #slot: IndexSlot;

  private constructor(index: RuleIndex, slot: IndexSlot, scanUpTo: number, lookups: readonly DimensionLookup[]) {
    this.#index = index;
    this.#slot = slot;
    this.#scanUpTo = scanUpTo;
    this.#lookups = lookups;
  }

  /** `scanUpTo`: as many applying rules are all candidates, without a look-up. */
  static *prepare(index: RuleIndex, slot: IndexSlot, scanUpTo: number): Steps<PreparedIndex> {
    const lookups: DimensionLookup[] = [];
    for (const dimension of index.dimensions) {
      const lookup = yield* prepareDimension(dimension);
      if (lookup !== undefined) lookups.push(lookup);
      yield;
    }
    return new PreparedIndex(index, slot, scanUpTo, lookups);
  }

  /** Fills `candidates` with a superset of the rules that match the request or are unknown of it. */
  collect(view: PreparedView, request: RequestAttributes, candidates: Candidates): void {
    const start = view.starts[this.#slot] ?? this.#start(view);
    if (start.complete) {
      candidates.take(start.rules);
      return;
    }
    candidates.begin(view);
    candidates.offerApplying(start.rules);
    for (const lookUp of this.#lookups) lookUp(request, candidates);
  }

  #start(view: PreparedView): Start {
    const start = this.#few(view) ?? { rules: Int32Array.from(this.#ofWorkload(view)), complete: false };
    view.starts[this.#slot] = start;
    return start;
  }

  /** All rules of the index that apply, if they are a handful. */
  #few(view: PreparedView): Start | undefined {
    const rules = new Set<number>();
    for (const ids of everyList(this.#index)) {
      for (const id of ids) if (view.hasRule(id)) rules.add(id);
      if (rules.size > this.#scanUpTo) return undefined;
    }
    return { rules: Int32Array.from(rules), complete: true };
  }

  #ofWorkload(view: PreparedView): Set<number> {
    const rules = new Set<number>();
    const add = (ids: readonly number[]) => {
      for (const id of ids) if (view.hasRule(id)) rules.add(id);
    };
    add(this.#index.always);
    for (const { on, exact } of this.#index.dimensions) {
      if (on.kind === "workloadNamespace") {
        for (const [namespace, ids] of exact) if (view.subject.namespaces.includes(namespace)) add(ids);
      } else if (on.kind === "workloadLabel") {
        const value = view.subject.labels.get(on.key);
        for (const [text, ids] of exact) if (text === value) add(ids);
      }
    }
    return rules;
  }
}

function* everyList(index: RuleIndex): Iterable<readonly number[]> {
  yield index.always;
  for (const { exact, prefix, suffix, cidr, present } of index.dimensions) {
    for (const lists of [exact, prefix, suffix]) for (const [, ids] of lists) yield ids;
    for (const { rules } of cidr) yield rules;
    yield present;
  }
}
