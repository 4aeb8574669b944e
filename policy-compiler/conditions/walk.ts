import { type AttributeRow, attributeByName, attributeRoots } from "./attributes.ts";
import type { ExpressionFault, ExpressionPlace } from "./contract.ts";
import { type FunctionRow, findFunction, functionsNamed } from "./functions.ts";
import { limits } from "./limits.ts";
import { refuseLiteralCall, refuseOperation } from "./refuse-literals.ts";
import { childrenOf, hasBrackets, type Node, rangeOf } from "./tree.ts";

/** An attribute that an expression reads. `names`: of a map with members by name the only ones it looks at; undefined: any. */
export interface Reading {
  readonly row: AttributeRow;
  readonly names: readonly string[] | undefined;
}

export interface Walk {
  readonly faults: readonly ExpressionFault[];
  /** Sorted by name. */
  readonly readings: readonly Reading[];
}

const operators: ReadonlySet<string> = new Set(
  "value id . [] call rcall list ?: || && !_ -_ == != in + - * / % < <= > >=".split(" "),
);

/**
 * Goes through a tree before it is checked: what is not on the lists is refused, calls of functions that are ours get the names of ours,
 * and the attributes that are read are collected.
 */
export function walkExpression(tree: Node, place: ExpressionPlace): Walk {
  const walker = new Walker(place);
  walker.visit(tree, [], 0);
  return { faults: walker.faults, readings: walker.readings() };
}

class Walker {
  readonly faults: ExpressionFault[] = [];
  readonly #place: ExpressionPlace;
  readonly #read = new Map<AttributeRow, Set<string> | undefined>();
  #nodes = 0;

  constructor(place: ExpressionPlace) {
    this.#place = place;
  }

  readings(): readonly Reading[] {
    return [...this.#read]
      .map(([row, names]) => ({ row, names: names === undefined ? undefined : [...names].sort() }))
      .sort((a, b) => (a.row.name < b.row.name ? -1 : 1));
  }

  /** `variables`: of the loops around. */
  visit(node: Node, variables: readonly string[], loops: number) {
    if (++this.#nodes === limits.nodes + 1)
      this.#refuse("condition/too-complex", node, "the expression has too many parts");
    if (this.#nodes > limits.nodes) return;
    if (!operators.has(node.op))
      return this.#refuse("condition/not-allowed", node, `\`${nameOfOperator(node.op)}\` is not allowed`);
    this.faults.push(...refuseOperation(node, variables));
    const unclear = findUnclearRelation(node);
    if (unclear !== undefined)
      this.#refuse(
        "condition/not-allowed",
        node,
        `\`${node.op}\` beside \`${unclear.op}\` without brackets`,
        "write brackets around one of the two comparisons",
      );
    switch (node.op) {
      case "value":
        return this.#visitValue(node);
      case "id":
        return this.#visitName(node, variables);
      case ".":
        return this.#visitMember(node, variables, loops);
      case "[]":
        if (this.#visitByName(node.args[0], node.args[1], variables)) return;
        break;
      case "in":
        if (this.#visitByName(node.args[1], node.args[0], variables)) return;
        break;
      case "call":
        return this.#visitCall(node, node.args[0], undefined, node.args[1], variables, loops);
      case "rcall":
        return this.#visitCall(node, node.args[0], node.args[1], node.args[2], variables, loops);
    }
    for (const child of childrenOf(node)) this.visit(child, variables, loops);
  }

  #visitValue(node: Node & { op: "value" }) {
    const value: unknown = node.args;
    if (value !== null && typeof value === "object")
      this.#refuse("condition/not-allowed", node, "bytes and unsigned numbers are not allowed");
  }

  #visitName(node: Node & { op: "id" }, variables: readonly string[]) {
    const name = node.args;
    if (variables.includes(name)) return;
    const row = attributeByName.get(name);
    if (row !== undefined) return this.#reads(row, node, undefined);
    if (attributeRoots.has(name)) {
      this.#refuse("condition/not-allowed", node, `\`${name}\` stands only before a member`, membersOf(name));
    } else {
      this.#refuse(
        "condition/not-allowed",
        node,
        `nothing is named \`${name}\``,
        `names are ${[...attributeRoots.keys()].join(", ")}`,
      );
    }
  }

  #visitMember(node: Node & { op: "." }, variables: readonly string[], loops: number) {
    const [subject, name] = node.args;
    if (subject.op === "id" && !variables.includes(subject.args) && attributeRoots.get(subject.args) !== undefined) {
      const row = attributeByName.get(`${subject.args}.${name}`);
      this.#nodes++;
      if (row !== undefined) return this.#reads(row, node, undefined);
      return this.#refuse(
        "condition/not-allowed",
        node,
        `\`${subject.args}\` has no member \`${name}\``,
        membersOf(subject.args),
      );
    }
    const row = this.#rowOf(subject, variables);
    if (row?.byName === true) {
      this.#nodes += 2;
      return this.#readsMember(row, subject, name, node);
    }
    this.visit(subject, variables, loops);
  }

  /** `headers["x"]` and `"x" in headers`: only that header is read. Was it one of them? */
  #visitByName(subject: Node, key: Node, variables: readonly string[]): boolean {
    const row = this.#rowOf(subject, variables);
    if (row?.byName !== true || key.op !== "value" || typeof key.args !== "string") return false;
    this.#nodes += 3;
    this.#readsMember(row, subject, key.args, key);
    return true;
  }

  #rowOf(node: Node, variables: readonly string[]): AttributeRow | undefined {
    if (node.op !== "." || node.args[0].op !== "id" || variables.includes(node.args[0].args)) return undefined;
    return attributeByName.get(`${node.args[0].args}.${node.args[1]}`);
  }

  #readsMember(row: AttributeRow, subject: Node, name: string, at: Node) {
    if (/[A-Z]/.test(name))
      this.#refuse("condition/literal", at, "names of headers are lower case", `write \`${name.toLowerCase()}\``);
    if (name.startsWith(":"))
      this.#refuse("condition/literal", at, "pseudo headers are not among the headers", membersOf("request"));
    this.#reads(row, subject, name);
  }

  #reads(row: AttributeRow, node: Node, name: string | undefined) {
    if (this.#place.beforeTokens && row.filledBy === "token")
      this.#refuse(
        "condition/claims-before-tokens",
        node,
        `\`${row.name}\` is not known yet where CUSTOM rules are decided`,
        "CUSTOM comes before tokens are looked at",
      );
    const names = this.#read.has(row) ? this.#read.get(row) : new Set<string>();
    if (name === undefined || names === undefined) this.#read.set(row, undefined);
    else this.#read.set(row, names.add(name));
  }

  #visitCall(
    node: Node,
    name: string,
    receiver: Node | undefined,
    args: readonly Node[],
    variables: readonly string[],
    loops: number,
  ) {
    const row = findFunction(receiver !== undefined, name, args.length);
    if (row === undefined) return this.#refuseCall(node, name);
    if (row.own === true) renameCall(node, `${name}_`);
    const fault = refuseLiteralCall(row.name, args);
    if (fault !== undefined) this.faults.push(fault);
    if (receiver !== undefined) this.visit(receiver, variables, loops);
    if (row.kind === "loop") return this.#visitLoop(node, row, args, variables, loops);
    for (const arg of args) this.visit(arg, variables, loops);
  }

  #visitLoop(
    node: Node,
    row: FunctionRow,
    [variable, ...body]: readonly Node[],
    variables: readonly string[],
    loops: number,
  ) {
    if (loops === limits.loops)
      return this.#refuse("condition/too-complex", node, `loops stand at most ${limits.loops} deep in each other`);
    if (variable?.op !== "id")
      return this.#refuse("condition/syntax", variable ?? node, `\`${row.name}\` begins with the name of its variable`);
    if (attributeRoots.has(variable.args))
      return this.#refuse(
        "condition/not-allowed",
        variable,
        `\`${variable.args}\` is the name of an attribute`,
        "take another name",
      );
    this.#nodes++;
    for (const part of body) this.visit(part, [...variables, variable.args], loops + 1);
  }

  #refuseCall(node: Node, name: string) {
    const others = functionsNamed(name);
    this.#refuse(
      "condition/not-allowed",
      node,
      `\`${name}\` cannot be called like this`,
      others.length === 0
        ? "functions are listed in docs/conditions.md"
        : others.map(({ written }) => written).join(", "),
    );
  }

  #refuse(code: ExpressionFault["code"], node: Node, message: string, help?: string) {
    const { start, end } = rangeOf(node);
    this.faults.push(help === undefined ? { code, start, end, message } : { code, start, end, message, help });
  }
}

/**
 * `a == b in c`: CEL reads `(a == b) in c`, as comparisons bind alike, and the library `a == (b in c)`. The inner comparison, where it is the
 * second operand and has no brackets of its own.
 */
function findUnclearRelation(node: Node): Node | undefined {
  if (node.op !== "==" && node.op !== "!=") return undefined;
  const [, right] = node.args;
  return relations.has(right.op) && !hasBrackets(right) ? right : undefined;
}

const relations: ReadonlySet<string> = new Set(["<", "<=", ">", ">=", "in", "==", "!="]);

function membersOf(root: string): string {
  const rows = attributeRoots.get(root) ?? [];
  return `it has ${rows.map((row) => row.name.slice(root.length + 1)).join(", ")}`;
}

/** The library looks functions up by this name as it checks the tree, which it does after the walk; `selfTest` sees to that. */
function renameCall(node: Node, name: string) {
  (node.args as unknown as [string])[0] = name;
}

function nameOfOperator(op: string): string {
  return op === "map" ? "{}" : op.replace("_", "");
}
