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
  const { opened, closed } = unmatched(input, start, end);
  let from = start;
  for (let left = closed; left > 0 && from > 0; ) if (input[--from] === "(") left--;
  let to = end;
  for (let left = opened; left > 0 && to < input.length; ) if (input[to++] === ")") left--;
  return { start: from, end: to };
}

/** Do brackets stand around the node alone? */
export function hasBrackets(node: Node): boolean {
  const { start } = rangeOf(node);
  return /\(\s*(?:\/\/[^\n]*\s*)*$/.test(node.input.slice(0, start));
}

/** Round brackets that a piece of text closes without having opened them, and the other way round. */
function unmatched(input: string, start: number, end: number): { readonly opened: number; readonly closed: number } {
  let opened = 0;
  let closed = 0;
  for (const [token] of input.slice(start, end).matchAll(tokens)) {
    if (token === "(") opened++;
    else if (token === ")" && opened > 0) opened--;
    else if (token === ")") closed++;
  }
  return { opened, closed };
}

/** Texts and comments as wholes, so that brackets in them are not seen. */
const tokens =
  /"""(?:\\[\s\S]|[^\\])*?"""|'''(?:\\[\s\S]|[^\\])*?'''|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|\/\/[^\n]*|[()]/g;
