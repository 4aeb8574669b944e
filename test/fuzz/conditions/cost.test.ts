import assert from "node:assert/strict";
import { test } from "node:test";
import { costOf } from "#policy-compiler/conditions/cost";
import { Frame } from "#policy-compiler/conditions/evaluate";
import { limits } from "#policy-compiler/conditions/limits";
import { createProgram, parseExpression } from "#policy-compiler/conditions/program";
import { childrenOf, type Node } from "#policy-compiler/conditions/tree";
import { walkExpression } from "#policy-compiler/conditions/walk";
import { makeFacts, requestFacts } from "#test/support/conditions/facts";
import { generateExpression } from "#test/support/conditions/generate-expression";
import { Random, testSeed } from "#test/support/random";

/** As large as they may be, and like each other, so that comparisons and loops go to their ends. */
const facts = makeFacts({
  request: requestFacts(
    { "x-a": new Array(limits.attributeItems).fill("a"), "x-b": ["a".repeat(limits.attributeText)] },
    { path: "/a".repeat(limits.attributeItems) },
  ),
  claims: {
    sub: "a",
    level: 3,
    flag: true,
    nothing: null,
    groups: new Array(limits.attributeItems).fill("a"),
    org: Object.fromEntries(
      Array.from({ length: limits.attributeItems - 1 }, (_, i) => [`k${i}`, "a"]).concat([["id", "a"]]),
    ),
    mixed: [1, "a", true, null, new Array(limits.attributeItems).fill("a"), { a: 1 }],
  },
});

test("an evaluation visits no more nodes than the cost of its expression says", () => {
  const seed = testSeed("cost");
  const random = new Random(seed);
  let most = 0;
  for (let run = 0; run < 4_000; run++) {
    const text = generateExpression(random);
    const visits = countVisits(text);
    if (visits === undefined) continue;
    most = Math.max(most, visits.counted);
    assert.ok(visits.counted <= visits.cost, `GARITA_SEED=${seed}: ${visits.counted} above ${visits.cost}: ${text}`);
  }
  // Some of them loop over a list that is as long as it may be.
  assert.ok(most > limits.attributeItems * 2, String(most));
});

function countVisits(text: string): { readonly counted: number; readonly cost: number } | undefined {
  const parsed = parseExpression(text);
  const { faults, readings } = walkExpression(parsed.ast, { beforeTokens: false });
  if (faults.length > 0 || !parsed.check().valid) return undefined;
  const cost = costOf(parsed.ast);
  let counted = 0;
  watch(parsed.ast, () => counted++);
  const program = createProgram(parsed);
  new Frame(readings).run(facts, program);
  return { counted, cost };
}

/** Calls `visited` whenever the library evaluates a node of the tree. It sets how, for each node, at the first time. */
function watch(node: Node, visited: () => void): void {
  const watched = node as unknown as { evaluate: (...values: unknown[]) => unknown };
  const first = watched.evaluate;
  let evaluate = first;
  Object.defineProperty(watched, "evaluate", {
    get: () =>
      function (this: unknown, ...values: unknown[]) {
        // The first call chooses how the node is evaluated, and calls again.
        if (evaluate !== first) visited();
        return evaluate.apply(watched, values);
      },
    set: (next: typeof evaluate) => {
      evaluate = next;
    },
  });
  for (const child of childrenOf(node)) watch(child, visited);
}
