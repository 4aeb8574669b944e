import { type CelValue, Unfit } from "./attribute-value.ts";
import { type AttributeRow, attributeByName, attributeRoots } from "./attributes.ts";
import type { ConditionFault, Facts, TracedExpression } from "./contract.ts";
import { type Evaluation, Frame } from "./evaluate.ts";
import { createTracedProgram, type Program, parseTraced } from "./program.ts";
import { isSecret } from "./redaction.ts";
import { showValue } from "./show-value.ts";
import { attributeName, childrenOf, type Node, rangeOf } from "./tree.ts";
import { type Reading, walkExpression } from "./walk.ts";

/**
 * What every part of an expression comes to, outermost first: one line for each part with a value of its own. Left out are constants, and the
 * bodies of loops, which have many values. INVARIANT: the expression was compiled before.
 */
export function traceExpression(text: string, facts: Facts): readonly TracedExpression[] {
  const traced = parseTraced(text);
  const { parsed, tree, offset } = traced;
  const { readings } = walkExpression(tree, { beforeTokens: false });
  parsed.check();
  const values = new Map(readings.map(({ row, names }) => [row, row.read(facts, names)]));
  const fit = readings.filter(({ row }) => !(values.get(row) instanceof Unfit));
  const parts = partsOf(tree, 0);
  const evaluated = evaluateParts(facts, fit, createTracedProgram(traced));
  return parts.map(({ node, depth }) => {
    const shown = showPart(node, values, evaluated(node));
    const { start, end } = rangeOf(node);
    return { start: start - offset, end: end - offset, depth, shown };
  });
}

interface Part {
  readonly node: Node;
  readonly depth: number;
}

function partsOf(node: Node, depth: number): readonly Part[] {
  if (node.op === "value" || node.op === "list") return childrenOf(node).flatMap((child) => partsOf(child, depth));
  return [{ node, depth }, ...innerOf(node).flatMap((child) => partsOf(child, depth + 1))];
}

/** What below a part is shown by itself: not the members that a chain of members goes through, nor the inside of loops and `has`. */
function innerOf(node: Node): readonly Node[] {
  if (node.op === "." || node.op === "id") return [];
  if (node.op === "[]") return [node.args[1]];
  if (node.op === "call" && node.args[0] === "has") return [];
  if (node.op === "rcall" && loops.has(node.args[0])) return [node.args[1]];
  return childrenOf(node);
}

const loops: ReadonlySet<string> = new Set(["exists", "all", "exists_one", "map", "filter"]);

type TracedProgram = Program & { choose(part: Node): void };

function evaluateParts(facts: Facts, readings: readonly Reading[], program: TracedProgram): (node: Node) => Evaluation {
  const frame = new Frame(readings);
  return (node) => {
    program.choose(node);
    return frame.run(facts, program);
  };
}

type Values = ReadonlyMap<AttributeRow, CelValue | undefined | Unfit>;

function showPart(node: Node, values: Values, result: Evaluation): string {
  const read = readsOf(node);
  for (const { row } of read) {
    const value = values.get(row);
    if (value instanceof Unfit) return showFault(value.fault(row.name));
  }
  if (result.fault !== undefined) return showFault(result.fault);
  if (typeof result.value === "boolean") return String(result.value);
  const hidden = read.some(({ row, member }) => isSecret(row, member, values.get(row) as CelValue | undefined));
  return hidden ? "(not shown)" : showValue(result.value);
}

function showFault(fault: ConditionFault): string {
  switch (fault.code) {
    case "condition/unknown-attribute":
      return `unknown: the request did not bring \`${fault.attribute}\``;
    case "condition/too-large":
      return `unknown: \`${fault.attribute}\` is too large`;
    case "condition/error":
      return `unknown: it fails (${fault.library})`;
    case "condition/no-bool":
      return "unknown: neither true nor false";
  }
}

interface Read {
  readonly row: AttributeRow;
  readonly member: string | undefined;
}

/** Attributes below a node, with the member that is named by a constant. */
function readsOf(node: Node): readonly Read[] {
  const direct = rowOf(node);
  if (direct !== undefined) return [{ row: direct, member: undefined }];
  if (node.op === ".") {
    const row = rowOf(node.args[0]);
    if (row !== undefined) return [{ row, member: node.args[1] }];
  }
  if (node.op === "[]") {
    const row = rowOf(node.args[0]);
    const key = node.args[1];
    if (row !== undefined) {
      const member = key.op === "value" && typeof key.args === "string" ? key.args : undefined;
      return [{ row, member }, ...readsOf(key)];
    }
  }
  return childrenOf(node).flatMap(readsOf);
}

/** Names of loops' variables are never names of roots (`walk.ts`). */
function rowOf(node: Node): AttributeRow | undefined {
  const name = attributeName(node, (root) => attributeRoots.has(root));
  return name === undefined ? undefined : attributeByName.get(name);
}
