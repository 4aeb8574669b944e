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
