import type { ParseResult } from "@marcbachmann/cel-js";
import { compareCodePoints } from "./compare-text.ts";
import { environment, type Members, TRACED } from "./environment.ts";
import { faults } from "./evaluation-fault.ts";
import { inRange } from "./ranges.ts";
import { timeOperation } from "./time-arithmetic.ts";
import { childrenOf, type Node } from "./tree.ts";

/** A checked tree, ready to run. */
export interface Program {
  run(activation: Members): unknown;
  /** Lets go of what the last run left in it: the library keeps a loop's variable and result. */
  forget(): void;
}

/** What the library hangs on a loop's node. */
interface LoopState {
  iterValue: unknown;
  accuValue: unknown;
}

/** INVARIANT: `parsed` was walked and checked. */
export function createProgram(parsed: ParseResult): Program {
  const loops = loopStates(parsed.ast);
  correctOperators(parsed.ast);
  return {
    run: (activation) => parsed(activation),
    forget() {
      for (const loop of loops) {
        loop.iterValue = undefined;
        loop.accuValue = undefined;
      }
    },
  };
}

function loopStates(tree: Node): readonly LoopState[] {
  const states: LoopState[] = [];
  const visit = (node: Node): void => {
    const state = metaOf(node).alternate?.args?.iterCtx;
    if (state !== undefined) states.push(state);
    childrenOf(node).forEach(visit);
  };
  visit(tree);
  return states;
}

/** What the library computes an operator with, once a tree is checked. */
interface Operation {
  handle: (...values: unknown[]) => unknown;
}

/**
 * Puts right what operators of the library do otherwise than CEL. Results that leave the range of their type fail: the library lets some
 * through, and compares with an invalid date as if nothing were wrong. What cannot be a key of a map is not looked for among its keys. Text is ordered by code points, and not by UTF-16 units. Time is computed
 * exactly (`time-arithmetic.ts`).
 */
function correctOperators(node: Node): void {
  const operation = node as unknown as Operation;
  const { handle } = operation;
  switch (node.op) {
    case "-_":
    case "/":
      operation.handle = (...values) => inRange(handle(...values));
      break;
    case "+":
    case "-": {
      const { op } = node;
      operation.handle = (left, right, ...rest) =>
        inRange(
          isTime(left)
            ? (timeOperation(op, left, right) ?? handle(left, right, ...rest))
            : handle(left, right, ...rest),
        );
      break;
    }
    case "==":
    case "!=": {
      const { op } = node;
      operation.handle = (left, right, ...rest) =>
        isTime(left) ? (timeOperation(op, left, right) ?? handle(left, right, ...rest)) : handle(left, right, ...rest);
      break;
    }
    case "in":
      operation.handle = (left, right, ...rest) => {
        if (right instanceof Map && typeof left === "object") throw faults.noKey;
        return handle(left, right, ...rest);
      };
      break;
    case "<":
    case "<=":
    case ">":
    case ">=": {
      const { op } = node;
      const holds = orders[op];
      operation.handle = (left, right, ...rest) => {
        if (typeof left === "string" && typeof right === "string") return holds(compareCodePoints(left, right));
        return (isTime(left) ? timeOperation(op, left, right) : undefined) ?? handle(left, right, ...rest);
      };
      break;
    }
  }
  childrenOf(node).forEach(correctOperators);
}

/** PERF: most operands are no objects. */
function isTime(value: unknown): boolean {
  return typeof value === "object" && value !== null;
}

const orders = {
  "<": (order: number) => order < 0,
  "<=": (order: number) => order <= 0,
  ">": (order: number) => order > 0,
  ">=": (order: number) => order >= 0,
} as const;

interface Meta {
  readonly alternate?: { readonly args?: { readonly iterCtx?: LoopState } };
  readonly macro?: { part: Node };
}

function metaOf(node: Node): Meta {
  return (node as unknown as { readonly meta: Meta }).meta;
}

/** Reads text as a tree; throws the library's errors. */
export function parseExpression(text: string): ParseResult {
  return environment.parse(text);
}

/** An expression of which one part after the other is evaluated, all with the variables of the whole. Cost: that of the part. */
export interface TracedParse {
  readonly parsed: ParseResult;
  /** The expression; its places are `offset` too far right. */
  readonly tree: Node;
  readonly offset: number;
}

export function parseTraced(text: string): TracedParse {
  const before = `${TRACED}(`;
  // The line break ends a comment that the text may end with.
  const parsed = environment.parse(`${before}${text}\n)`);
  return { parsed, tree: childrenOf(parsed.ast)[0]!, offset: before.length };
}

/** INVARIANT: `traced.tree` was walked, and `traced.parsed` checked. */
export function createTracedProgram({ parsed }: TracedParse): Program & { choose(part: Node): void } {
  const macro = metaOf(parsed.ast).macro!;
  return {
    ...createProgram(parsed),
    choose(part) {
      macro.part = part;
    },
  };
}
