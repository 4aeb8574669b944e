import type { Entry, FieldTest, Rule, RuleBody, RuleIndex, RuleSet } from "#policy-compiler/ruleset/model";
import { fieldAnchors } from "./anchors.ts";
import { estimateCosts } from "./costs.ts";
import { type Anchor, Dimensions, file } from "./dimensions.ts";

/**
 * The four indexes of a rule set. Every rule is filed under its rarest necessary condition: one that must be true or unknown
 * of a request (or of the workload that is asked about) for the rule to be so. Cost: about linear in the values of all rules.
 */
export function buildIndexes(ruleSet: Omit<RuleSet, "index">): RuleSet["index"] {
  const custom = (rule: Rule) => ruleSet.policies[rule.policy]!.stage === "custom";
  const build = (body: "http" | "tcp", ofCustom: boolean) =>
    buildIndex(ruleSet, (rule) => (custom(rule) === ofCustom ? rule[body] : undefined));
  return {
    http: build("http", false),
    tcp: build("tcp", false),
    customHttp: build("http", true),
    customTcp: build("tcp", true),
  };
}

/** A condition of which one anchor must be found, and what that costs. */
interface Condition {
  readonly anchors: readonly Anchor[];
  readonly cost: number;
}

function buildIndex(ruleSet: Omit<RuleSet, "index">, bodyOf: (rule: Rule) => RuleBody | undefined): RuleIndex {
  const dimensions = new Dimensions();
  const bodies = ruleSet.rules.map(bodyOf);
  const fields = new Fields(dimensions);
  const workloads = ruleSet.rules.map((rule, id) =>
    bodies[id] === undefined ? [] : workloadAnchors(dimensions, ruleSet, rule),
  );
  // ORDER: how often each value is asked for must be known before the rarest can be chosen.
  for (const body of bodies) if (body !== undefined) fields.count(body);
  fields.spread();
  for (const anchors of workloads) for (const anchor of anchors) anchor.uses++;
  estimateCosts(dimensions);
  const always: number[] = [];
  bodies.forEach((body, id) => {
    if (body === undefined) return;
    const anchors = rarest(fields, body, workloads[id]!);
    if (anchors === undefined) always.push(id);
    else for (const anchor of anchors) file(anchor, id);
  });
  return { always, dimensions: dimensions.toData() };
}

/**
 * What a policy's place and selector ask of the workload. Policies of the root namespace are for every namespace; those with
 * targetRefs are not chosen by labels.
 */
function workloadAnchors(dimensions: Dimensions, ruleSet: Omit<RuleSet, "index">, rule: Rule): readonly Anchor[] {
  const policy = ruleSet.policies[rule.policy]!;
  const anchors: Anchor[] = [];
  if (policy.namespace !== ruleSet.mesh.rootNamespace) {
    anchors.push(dimensions.on({ kind: "workloadNamespace" }).text("exact", policy.namespace));
  }
  if (policy.attachment.kind === "selector") {
    for (const [key, value] of policy.attachment.labels) {
      anchors.push(dimensions.on({ kind: "workloadLabel", key }).text("exact", value));
    }
  }
  return anchors;
}

/** Undefined: the rule has no necessary condition that could be looked up. */
function rarest(fields: Fields, body: RuleBody, workload: readonly Anchor[]): readonly Anchor[] | undefined {
  let best: Condition | undefined;
  const offer = (condition: Condition | undefined) => {
    if (condition !== undefined && (best === undefined || condition.cost < best.cost)) best = condition;
  };
  for (const anchor of workload) offer({ anchors: [anchor], cost: anchor.cost });
  offer(anyOf(body.to.map((entry) => fields.rarestOf(entry))));
  offer(anyOf(body.from.map((entry) => fields.rarestOf(entry))));
  for (const field of body.when) offer(fields.condition(field));
  return (best as Condition | undefined)?.anchors;
}

/** One of several entries must hold: all of their anchors together. An entry without any, or no entry at all, is no condition. */
function anyOf(entries: readonly (Condition | undefined)[]): Condition | undefined {
  if (entries.length === 0) return undefined;
  if (entries.length === 1) return entries[0];
  const anchors = new Set<Anchor>();
  for (const entry of entries) {
    if (entry === undefined) return undefined;
    for (const anchor of entry.anchors) anchors.add(anchor);
  }
  let cost = 0;
  for (const anchor of anchors) cost += anchor.cost;
  return { anchors: [...anchors], cost };
}

/** The anchors of fields. Equal fields are one object, so each is looked at once, however many rules have it. */
class Fields {
  readonly #dimensions: Dimensions;
  readonly #states = new Map<FieldTest, FieldState>();

  constructor(dimensions: Dimensions) {
    this.#dimensions = dimensions;
  }

  count(body: RuleBody): void {
    for (const entry of body.to) for (const field of entry) this.#use(field);
    for (const entry of body.from) for (const field of entry) this.#use(field);
    for (const field of body.when) this.#use(field);
  }

  #use(field: FieldTest): void {
    const state = this.#states.get(field);
    if (state === undefined) this.#states.set(field, { uses: 1, values: undefined, condition: undefined });
    else state.uses++;
  }

  /** Hands the uses of each field to the anchors of its values. */
  spread(): void {
    for (const [field, state] of this.#states) {
      state.values = fieldAnchors(this.#dimensions, field);
      if (state.values === undefined) continue;
      for (const anchors of state.values) for (const anchor of anchors) anchor.uses += state.uses;
    }
  }

  /** The cheapest anchor for each value; undefined when the field has no anchors. */
  condition(field: FieldTest): Condition | undefined {
    const state = this.#states.get(field);
    if (state?.values === undefined) return undefined;
    state.condition ??= anyOf(state.values.map(cheapest));
    return state.condition;
  }

  rarestOf(entry: Entry): Condition | undefined {
    let best: Condition | undefined;
    for (const field of entry) {
      const condition = this.condition(field);
      if (condition !== undefined && (best === undefined || condition.cost < best.cost)) best = condition;
    }
    return best;
  }
}

interface FieldState {
  /** In how many entries and conditions the field stands. */
  uses: number;
  /** Undefined as long as they are not known, and when there are none. */
  values: readonly (readonly Anchor[])[] | undefined;
  condition: Condition | undefined;
}

function cheapest(anchors: readonly Anchor[]): Condition {
  const only = anchors[0];
  if (anchors.length === 1 && only !== undefined) return { anchors, cost: only.cost };
  const best = anchors.reduce((a, b) => (b.cost < a.cost ? b : a));
  return { anchors: [best], cost: best.cost };
}
