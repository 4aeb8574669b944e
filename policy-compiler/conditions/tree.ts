import type { ASTNode } from "@marcbachmann/cel-js";

/** A node of the library's tree, as we read it. `pos`, of a member, is where its name begins. */
export type Node = ASTNode;

/** What stands below a node, in the order in which it is written. Names of loops' variables are among them, as `id`. */
export function childrenOf(node: Node): readonly Node[] {
  switch (node.op) {
    case "value":
    case "id":
      return [];
    case ".":
    case ".?":
      return [node.args[0]];
    case "call":
      return node.args[1];
    case "rcall":
      return [node.args[1], ...node.args[2]];
    case "list":
      return node.args;
    case "map":
      return node.args.flat();
    case "!_":
    case "-_":
      return [node.args];
    default:
      return node.args;
  }
}

/** `root.member` and roots without members, by name; undefined for any other node. */
export function attributeName(node: Node, isRoot: (name: string) => boolean): string | undefined {
  if (node.op === "id") return isRoot(node.args) ? node.args : undefined;
  if (node.op !== "." || node.args[0].op !== "id" || !isRoot(node.args[0].args)) return undefined;
  return `${node.args[0].args}.${node.args[1]}`;
}

/**
 * Where a node stands, brackets around its outermost operands included: the library leaves those out, so that `(a || b) && c` would begin
 * behind the bracket.
 */
export function rangeOf({ input, start, end }: Node): { readonly start: number; readonly end: number } {
  const bare = blankTexts(input);
  let opened = 0;
  let closed = 0;
  for (let i = start; i < end; i++) {
    if (bare[i] === "(") opened++;
    else if (bare[i] === ")" && opened > 0) opened--;
    else if (bare[i] === ")") closed++;
  }
  let from = start;
  while (closed > 0 && from > 0) if (bare[--from] === "(") closed--;
  let to = end;
  while (opened > 0 && to < bare.length) if (bare[to++] === ")") opened--;
  return { start: from, end: to };
}

/** Do brackets stand around the node alone? */
export function hasBrackets(node: Node): boolean {
  return blankTexts(node.input).slice(0, rangeOf(node).start).trimEnd().endsWith("(");
}

/** The same length, with comments as blanks and texts as underscores, so that brackets in them are not seen. */
function blankTexts(input: string): string {
  return input.replace(textsAndComments, (found) => (found.startsWith("//") ? " " : "_").repeat(found.length));
}

const textsAndComments =
  /"""(?:\\[\s\S]|[^\\])*?"""|'''(?:\\[\s\S]|[^\\])*?'''|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|\/\/[^\n]*/g;
