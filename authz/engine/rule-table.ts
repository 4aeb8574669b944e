import { type Provider, type Rule, type RuleSet, ruleKey, type Stage, stages } from "#policy-compiler/ruleset/model";
import type { Steps } from "#policy-compiler/ruleset/steps";
import type { RequestAttributes } from "./attributes.ts";
import type { RuleRef } from "./decision.ts";
import type { Truth } from "./kleene.ts";
import { BodyCompiler, type CompiledBody, testBody } from "./rule-body.ts";

/** A stage as a small number: its place in `stages`. */
export const stageNumber = Object.fromEntries(stages.map((stage, i) => [stage, i])) as Readonly<Record<Stage, number>>;

/** Rules that are looked at between two interruptions. */
const STEP = 8192;

/**
 * The rules of a rule set by id, with what decisions read of them in flat arrays, and their bodies compiled at first use: a rule
 * that no request comes near costs a few bytes.
 */
export class RuleTable {
  readonly ruleSet: RuleSet;
  readonly size: number;
  /** Stage number of each rule. */
  readonly stages: Uint8Array;
  readonly compiler = new BodyCompiler();
  readonly #http: (CompiledBody | undefined)[];
  readonly #tcp: (CompiledBody | undefined)[];
  readonly #refs: (RuleRef | undefined)[];
  readonly #providers: ReadonlyMap<string, Provider["kind"]>;

  static *prepare(ruleSet: RuleSet): Steps<RuleTable> {
    const { policies, rules } = ruleSet;
    const ofPolicy = Uint8Array.from(policies, (policy) => stageNumber[policy.stage]);
    const ofRule = new Uint8Array(rules.length);
    for (let id = 0; id < rules.length; id++) {
      ofRule[id] = ofPolicy[rules[id]!.policy]!;
      if (id % STEP === STEP - 1) yield;
    }
    return new RuleTable(ruleSet, ofRule);
  }

  private constructor(ruleSet: RuleSet, ofRule: Uint8Array) {
    this.ruleSet = ruleSet;
    this.size = ruleSet.rules.length;
    this.stages = ofRule;
    this.#http = new Array<undefined>(this.size).fill(undefined);
    this.#tcp = new Array<undefined>(this.size).fill(undefined);
    this.#providers = new Map(ruleSet.providers.map(({ name, kind }) => [name, kind]));
    this.#refs = new Array<undefined>(this.size).fill(undefined);
  }

  rule(id: number): Rule {
    return this.ruleSet.rules[id]!;
  }

  /** Undefined when the rule was dropped for the protocol of the request. */
  test(id: number, request: RequestAttributes): Truth | undefined {
    return request.http === undefined
      ? this.#test(this.#tcp, id, "tcp", request)
      : this.#test(this.#http, id, "http", request);
  }

  #test(compiled: (CompiledBody | undefined)[], id: number, protocol: "http" | "tcp", request: RequestAttributes) {
    let body = compiled[id];
    if (body === undefined) {
      const rule = this.rule(id);
      const source = rule[protocol];
      if (source === undefined) return undefined;
      // Where nothing degrades both protocols share one body.
      const other = protocol === "http" ? this.#tcp[id] : this.#http[id];
      body = other !== undefined && rule.http === rule.tcp ? other : this.compiler.body(source);
      compiled[id] = body;
    }
    return testBody(body, request);
  }

  /** Undefined: the mesh configuration has no such provider. */
  providerKind(name: string): Provider["kind"] | undefined {
    return this.#providers.get(name);
  }

  ref(id: number): RuleRef {
    let ref = this.#refs[id];
    if (ref === undefined) {
      const rule = this.rule(id);
      ref = { id, key: ruleKey(this.ruleSet.policies[rule.policy]!, rule.ordinal), origin: rule.origin };
      this.#refs[id] = ref;
    }
    return ref;
  }
}
