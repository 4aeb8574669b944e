import type { ParseResult } from "@marcbachmann/cel-js";
import { toByteString } from "#policy-compiler/ruleset/byte-string";
import type {
  CompileCondition,
  CompiledCondition,
  CompiledValue,
  CompileValue,
  ConditionFault,
  ExpressionFault,
  ExpressionPlace,
  Facts,
} from "./contract.ts";
import { costOf } from "./cost.ts";
import { Frame } from "./evaluate.ts";
import { limits } from "./limits.ts";
import { createProgram, type Program, parseExpression } from "./program.ts";
import { selfTest } from "./self-test.ts";
import { traceExpression } from "./trace.ts";
import { childrenOf, type Node, rangeOf } from "./tree.ts";
import { type Reading, walkExpression } from "./walk.ts";

/**
 * Makes a condition of an expression, or says what is wrong with it. Pure: the same text gives the same result. Cost: some 50 µs, and 1 ms
 * for a pattern of `matches`.
 */
export const compileCondition: CompileCondition = (text, place) => {
  const ready = prepare(text, place, "bool");
  return ready.ok ? { ok: true, condition: new Condition(text, ready) } : ready;
};

/** The same for an expression that comes to text. */
export const compileValue: CompileValue = (text, place) => {
  const ready = prepare(text, place, "string");
  return ready.ok ? { ok: true, value: new Value(text, ready) } : ready;
};

interface Ready {
  readonly ok: true;
  readonly program: Program;
  readonly readings: readonly Reading[];
  readonly cost: number;
}
type Preparation = Ready | { readonly ok: false; readonly fault: ExpressionFault };

class Expression {
  readonly text: string;
  readonly cost: number;
  readonly attributes: readonly string[];
  readonly #frame: Frame;
  readonly #program: Program;

  constructor(text: string, { program, readings, cost }: Ready) {
    this.text = text;
    this.cost = cost;
    this.attributes = readings.map(({ row }) => row.name);
    this.#frame = new Frame(readings);
    this.#program = program;
  }

  protected run(facts: Facts) {
    return this.#frame.run(facts, this.#program);
  }
}

class Condition extends Expression implements CompiledCondition {
  evaluate(facts: Facts) {
    const result = this.run(facts);
    if (result.fault !== undefined) return result;
    // The library does not look at what functions return: exactly true and exactly false, nothing that is like them.
    if (result.value === true) return TRUE;
    return result.value === false ? FALSE : NO_BOOL;
  }

  trace(facts: Facts) {
    return traceExpression(this.text, facts);
  }
}

const TRUE = { value: true } as const;
const FALSE = { value: false } as const;
const NO_BOOL: { readonly fault: ConditionFault } = { fault: { code: "condition/no-bool" } };

class Value extends Expression implements CompiledValue {
  evaluate(facts: Facts) {
    const result = this.run(facts);
    if (result.fault !== undefined) return result;
    if (typeof result.value !== "string") return NO_TEXT;
    return { value: toByteString(result.value) };
  }
}

const NO_TEXT: { readonly fault: ConditionFault } = { fault: { code: "condition/error", library: "no_text" } };

/** ORDER: what the walk has not let pass is neither checked nor measured. */
function prepare(text: string, place: ExpressionPlace, type: "bool" | "string"): Preparation {
  const whole = { start: 0, end: text.length };
  if (selfTest().length > 0) {
    return refused({
      code: "condition/not-allowed",
      ...whole,
      message: "expressions are switched off: their library does not do what it must",
    });
  }
  if (text.length > limits.textLength) {
    return refused({
      code: "condition/too-complex",
      ...whole,
      message: `an expression has at most ${limits.textLength} characters`,
    });
  }
  const parsed = attempt(() => parseExpression(text), text, "condition/syntax");
  if (!parsed.ok) return parsed;
  const { faults, readings } = walkExpression(parsed.value.ast, place);
  const first = [...faults].sort((a, b) => a.start - b.start)[0];
  if (first !== undefined) return refused(first);
  const checked = check(parsed.value, text, type);
  if (checked !== undefined) return refused(checked);
  const cost = costOf(parsed.value.ast);
  if (cost > limits.cost) {
    return refused({
      code: "condition/too-complex",
      ...whole,
      message: `the expression may take ${cost} steps; at most ${limits.cost} are allowed`,
      help: "loops over lists of requests multiply: take the inner one out",
    });
  }
  return { ok: true, program: createProgram(parsed.value), readings, cost };
}

function refused(fault: ExpressionFault): { readonly ok: false; readonly fault: ExpressionFault } {
  const message = printable(fault.message);
  return {
    ok: false,
    fault: fault.help === undefined ? { ...fault, message } : { ...fault, message, help: printable(fault.help) },
  };
}

/** Messages quote the author's text: one line of it, in which nothing can turn or hide. */
function printable(sentence: string): string {
  const cut = sentence.length > 300 ? `${sentence.slice(0, 300)}…` : sentence;
  return cut.replace(/[\p{C}\u2028\u2029]/gu, (sign) => `\\u{${sign.codePointAt(0)!.toString(16)}}`);
}

function check(parsed: ParseResult, text: string, type: "bool" | "string"): ExpressionFault | undefined {
  const outcome = attempt(() => parsed.check(), text, "condition/type");
  if (!outcome.ok) return outcome.fault;
  const { valid, error, type: found } = outcome.value;
  const swapped = findSwappedTime(parsed.ast);
  if (swapped !== undefined)
    return {
      code: "condition/type",
      ...rangeOf(swapped),
      message: "a timestamp is added to a duration",
      help: "write the timestamp first",
    };
  if (!valid) return faultOf(error, text, "condition/type");
  if (found === type) return undefined;
  const help =
    type === "string" ? "write `string(…)` around it" : found === "dyn" ? "compare it: `… == true`" : undefined;
  const fault = {
    code: "condition/type",
    start: 0,
    end: text.length,
    message: `expected \`${type}\`, found \`${found}\``,
  } as const;
  return help === undefined ? fault : { ...fault, help };
}

/** The library takes `duration + timestamp` for a duration, and then compares a date with durations. */
function findSwappedTime(node: Node): Node | undefined {
  if (node.op === "+" && typeName(node.args[0]) === "google.protobuf.Duration") {
    if (typeName(node.args[1]) !== "google.protobuf.Duration") return node;
  }
  for (const child of childrenOf(node)) {
    const found = findSwappedTime(child);
    if (found !== undefined) return found;
  }
  return undefined;
}

function typeName(node: Node): string | undefined {
  return (node as { readonly checkedType?: { readonly name: string } }).checkedType?.name;
}

function attempt<T>(
  run: () => T,
  text: string,
  code: ExpressionFault["code"],
): { readonly ok: true; readonly value: T } | { readonly ok: false; readonly fault: ExpressionFault } {
  try {
    return { ok: true, value: run() };
  } catch (error) {
    return refused(faultOf(error, text, code));
  }
}

/** The library's errors as ours; a code that is ours already was given by a function of ours. */
function faultOf(error: unknown, text: string, code: ExpressionFault["code"]): ExpressionFault {
  const found = (error ?? {}) as {
    readonly code?: unknown;
    readonly summary?: unknown;
    readonly range?: { readonly start: number; readonly end: number };
    readonly node?: { readonly start?: number };
  };
  const { code: given, summary, range, node } = found;
  // The library's range of a member begins at its name; the node begins where the expression does.
  const start = Math.min(Math.max(node?.start ?? range?.start ?? 0, 0), text.length);
  const end = Math.min(Math.max(range?.end ?? text.length, start), text.length);
  if (error instanceof RangeError)
    return { code: "condition/too-complex", start, end, message: "the expression is too deep" };
  if (typeof summary !== "string") return { code, start, end, message: "the types of the expression do not fit" };
  return { code: ownCode(given) ?? code, start, end, message: sentence(summary) };
}

function ownCode(given: unknown): ExpressionFault["code"] | undefined {
  if (given === "condition/pattern" || given === "condition/literal") return given;
  return given === "limit_exceeded" ? "condition/too-complex" : undefined;
}

/** One line, lower case, without the names that our functions have inside. */
function sentence(summary: string): string {
  const line = summary
    .split("\n")[0]!
    .replace(/(\w)_\(/g, "$1(")
    .replaceAll("'", "`");
  return line.charAt(0).toLowerCase() + line.slice(1);
}
