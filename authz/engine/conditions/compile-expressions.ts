import type {
  CompileCondition,
  CompiledCondition,
  CompiledValue,
  CompileValue,
  ExpressionFault,
} from "#policy-compiler/conditions/contract";
import {
  type AllowResponse,
  type ByteString,
  type DenyResponse,
  type Expression,
  type ResponseFields,
  type ResponseValue,
  type RuleSet,
  ruleKey,
} from "#policy-compiler/ruleset/model";
import {
  type HeaderPlace,
  headerNameFault,
  isDenialStatus,
  ownMetadataKeys,
} from "#policy-compiler/ruleset/response-limits";
import type { Steps } from "#policy-compiler/ruleset/steps";

/** What makes expressions ready: the same compiler that checked them when the folder was compiled. */
export interface ExpressionCompiler {
  readonly condition: CompileCondition;
  readonly value: CompileValue;
  /** What it does once before its first expression. */
  readonly begin?: () => Steps<unknown>;
}

/** A value of an answer made ready: text as it stands, or an expression. */
export type PreparedValue =
  | { readonly kind: "text"; readonly text: ByteString }
  | { readonly kind: "cel"; readonly value: Pick<CompiledValue, "evaluate"> };
export type PreparedFields = readonly (readonly [name: string, value: PreparedValue])[];

/** `denyResponse` or `allowResponse` of a rule made ready. */
export type PreparedResponse =
  | {
      readonly kind: "deny";
      readonly status: number | undefined;
      readonly headers: PreparedFields;
      readonly body: PreparedValue | undefined;
    }
  | {
      readonly kind: "allow";
      readonly requestHeaders: PreparedFields;
      readonly responseHeaders: PreparedFields;
      readonly dynamicMetadata: PreparedFields;
    };

/** The conditions of a rule in the author's order. */
export type RuleConditions = readonly {
  readonly compiled: Pick<CompiledCondition, "evaluate" | "trace">;
  readonly expression: Expression;
}[];

/** All expressions of a rule set, by rule. */
export interface CompiledExpressions {
  /** Undefined: no rule has any. */
  readonly conditions: readonly (RuleConditions | undefined)[] | undefined;
  readonly responses: ReadonlyMap<number, PreparedResponse>;
  /**
   * What this program cannot decide by: bytes that are damaged, or of another version. INVARIANT: such a condition has no value, so that its rule does not
   * allow and does deny; such a value has none either. Whoever loads rules refuses the whole set.
   */
  readonly unfit: readonly UnfitExpression[];
}

/** An expression of a rule set that does not compile here. */
export interface UnfitExpression {
  /** Key of the rule. */
  readonly rule: string;
  readonly why: string;
}

/** Compiles every expression of a rule set, each text once, in steps of one expression. Total. Cost: that of the compiler for each text. */
export function* compileExpressions(ruleSet: RuleSet, compiler: ExpressionCompiler): Steps<CompiledExpressions> {
  const unfit: UnfitExpression[] = [];
  const known = new KnownExpressions(compiler, unfit);
  const responses = new Map<number, PreparedResponse>();
  let begun = false;
  let conditions: (RuleConditions | undefined)[] | undefined;
  for (const [id, rule] of ruleSet.rules.entries()) {
    const { extension } = rule;
    if (extension === undefined) continue;
    if (!begun && compiler.begin !== undefined) yield* compiler.begin();
    begun = true;
    const policy = ruleSet.policies[rule.policy]!;
    const place: Place = { rule: ruleKey(policy, rule.ordinal), beforeTokens: policy.stage === "custom" };
    if (extension.conditions.length > 0) {
      conditions ??= new Array<undefined>(ruleSet.rules.length).fill(undefined);
      conditions[id] = yield* prepareConditions(extension.conditions, known, place);
    }
    if (extension.denyResponse !== undefined) {
      responses.set(id, yield* prepareDenial(extension.denyResponse, known, place));
    } else if (extension.allowResponse !== undefined) {
      responses.set(id, yield* prepareAllowance(extension.allowResponse, known, place));
    }
  }
  return { conditions, responses, unfit };
}

interface Place {
  readonly rule: string;
  readonly beforeTokens: boolean;
}

function* prepareConditions(
  conditions: readonly Expression[],
  known: KnownExpressions,
  place: Place,
): Steps<RuleConditions> {
  const list: RuleConditions[number][] = [];
  for (const expression of conditions) {
    list.push({ compiled: known.condition(expression, place), expression });
    yield;
  }
  return list;
}

function* prepareDenial(
  { status, headers, body }: DenyResponse,
  known: KnownExpressions,
  place: Place,
): Steps<PreparedResponse> {
  const fits = status === undefined || isDenialStatus(status);
  if (!fits) known.refuse(place, `its answer has the status ${status}`);
  return {
    kind: "deny",
    status: fits ? status : undefined,
    headers: yield* prepareFields(headers, known, place, headerFor("denial")),
    body: body && known.answer(body, place),
  };
}

function* prepareAllowance(
  { requestHeaders, responseHeaders, dynamicMetadata }: AllowResponse,
  known: KnownExpressions,
  place: Place,
): Steps<PreparedResponse> {
  return {
    kind: "allow",
    requestHeaders: yield* prepareFields(requestHeaders, known, place, headerFor("request")),
    responseHeaders: yield* prepareFields(responseHeaders, known, place, headerFor("response")),
    dynamicMetadata: yield* prepareFields(dynamicMetadata, known, place, isFreeKey),
  };
}

function* prepareFields(
  fields: ResponseFields,
  known: KnownExpressions,
  place: Place,
  fits: (name: string) => boolean,
): Steps<PreparedFields> {
  const list: [string, PreparedValue][] = [];
  for (const [name, value] of fields) {
    if (fits(name)) list.push([name, known.answer(value, place)]);
    else {
      known.refuse(place, "its answer sets what no answer can");
      list.push([name, { kind: "cel", value: noValue }]);
    }
    yield;
  }
  return list;
}

/** Names are lower case in a rule set. */
function headerFor(place: HeaderPlace): (name: string) => boolean {
  return (name) => headerNameFault(name, place) === undefined && name === name.toLowerCase();
}

function isFreeKey(key: string): boolean {
  return key !== "" && !ownMetadataKeys.includes(key);
}

/** PERF: policies repeat themselves; equal texts are one expression (`bench/compile.ts`). */
class KnownExpressions {
  readonly #compiler: ExpressionCompiler;
  readonly #unfit: UnfitExpression[];
  readonly #conditions = new Map<string, RuleConditions[number]["compiled"]>();
  readonly #values = new Map<string, PreparedValue>();

  constructor(compiler: ExpressionCompiler, unfit: UnfitExpression[]) {
    this.#compiler = compiler;
    this.#unfit = unfit;
  }

  condition({ text }: Expression, place: Place): RuleConditions[number]["compiled"] {
    const key = keyOf(text, place);
    let condition = this.#conditions.get(key);
    if (condition === undefined) {
      const result = this.#compiler.condition(text, place);
      condition = result.ok ? result.condition : noCondition;
      if (!result.ok) this.refuse(place, unfitText("a condition", result.fault));
      this.#conditions.set(key, condition);
    }
    return condition;
  }

  answer(value: ResponseValue, place: Place): PreparedValue {
    if (value.kind === "text") return value;
    const key = keyOf(value.expression.text, place);
    let prepared = this.#values.get(key);
    if (prepared === undefined) {
      const result = this.#compiler.value(value.expression.text, place);
      prepared = { kind: "cel", value: result.ok ? result.value : noValue };
      if (!result.ok) this.refuse(place, unfitText("a value of its answer", result.fault));
      this.#values.set(key, prepared);
    }
    return prepared;
  }

  refuse({ rule }: Place, why: string): void {
    this.#unfit.push({ rule, why });
  }
}

const broken = { fault: { code: "condition/error", library: "unfit" } } as const;
const noCondition: RuleConditions[number]["compiled"] = { evaluate: () => broken, trace: () => [] };
const noValue: Pick<CompiledValue, "evaluate"> = { evaluate: () => broken };

function keyOf(text: string, { beforeTokens }: Place): string {
  return beforeTokens ? `!${text}` : `=${text}`;
}

function unfitText(what: string, { code, start }: ExpressionFault): string {
  return `${what} does not compile: ${code} at ${start}`;
}
