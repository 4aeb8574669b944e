import { type Rule, type RuleSet, ruleKey, type Stage, stages } from "#policy-compiler/ruleset/model";
import { resolveProviders } from "#policy-compiler/ruleset/providers/resolve";
import type { Steps } from "#policy-compiler/ruleset/steps";
import type { RequestAttributes } from "./attributes.ts";
import type { AskedRequest } from "./conditions/asked-request.ts";
import type { CompiledExpressions, PreparedResponse, RuleConditions } from "./conditions/compile-expressions.ts";
import { testConditions } from "./conditions/test-conditions.ts";
import type { RuleRef } from "./decision.ts";
import { FALSE, type Truth } from "./kleene.ts";
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
  readonly #conditions: CompiledExpressions["conditions"];
  readonly #responses: CompiledExpressions["responses"];
  /** Names of the HTTP providers that can be asked. */
  readonly #httpProviders: ReadonlySet<string>;

  static *prepare(ruleSet: RuleSet, expressions: CompiledExpressions): Steps<RuleTable> {
    const { policies, rules } = ruleSet;
    const ofPolicy = Uint8Array.from(policies, (policy) => stageNumber[policy.stage]);
    const ofRule = new Uint8Array(rules.length);
    for (let id = 0; id < rules.length; id++) {
      ofRule[id] = ofPolicy[rules[id]!.policy]!;
      if (id % STEP === STEP - 1) yield;
    }
    return new RuleTable(ruleSet, ofRule, expressions);
  }

  private constructor(ruleSet: RuleSet, ofRule: Uint8Array, expressions: CompiledExpressions) {
    this.ruleSet = ruleSet;
    this.#conditions = expressions.conditions;
    this.#responses = expressions.responses;
    this.size = ruleSet.rules.length;
    this.stages = ofRule;
    this.#http = new Array<undefined>(this.size).fill(undefined);
    this.#tcp = new Array<undefined>(this.size).fill(undefined);
    const resolutions = [...resolveProviders(ruleSet).values()];
    this.#httpProviders = new Set(resolutions.flatMap(({ ok, kind, name }) => (ok && kind === "http" ? [name] : [])));
    this.#refs = new Array<undefined>(this.size).fill(undefined);
  }

  rule(id: number): Rule {
    return this.ruleSet.rules[id]!;
  }

  /** Undefined when the rule was dropped for the protocol of the request. ORDER: the body, and conditions only if it may hold. */
  test(id: number, asked: AskedRequest): Truth | undefined {
    const { request } = asked;
    const body =
      request.http === undefined
        ? this.#test(this.#tcp, id, "tcp", request)
        : this.#test(this.#http, id, "http", request);
    const conditions = this.#conditions?.[id];
    return conditions === undefined || body === undefined || body === FALSE
      ? body
      : testConditions(id, conditions, body, asked);
  }

  /** The conditions of a rule; empty: it has none. */
  conditions(id: number): RuleConditions {
    return this.#conditions?.[id] ?? none;
  }

  /** What a rule adds to the answer of a request that it decides; undefined: nothing. */
  response(id: number): PreparedResponse | undefined {
    return this.#responses.get(id);
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

  /** An HTTP provider that resolves: it is never asked about a connection. One that does not resolve denies there, too. */
  isHttpProvider(name: string): boolean {
    return this.#httpProviders.has(name);
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

const none: readonly never[] = Object.freeze([]);
