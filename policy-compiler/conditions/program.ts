import type { ParseResult } from "@marcbachmann/cel-js";
import { environment, type Members } from "./environment.ts";
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
    const { meta } = node as unknown as {
      readonly meta: { readonly alternate?: { readonly args?: { readonly iterCtx?: LoopState } } };
    };
    const state = meta.alternate?.args?.iterCtx;
    if (state !== undefined) states.push(state);
    childrenOf(node).forEach(visit);
  };
  visit(tree);
  return states;
}

/** Reads text as a tree; throws the library's errors. */
export function parseExpression(text: string): ParseResult {
  return environment.parse(text);
}
