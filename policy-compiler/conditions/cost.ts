import { attributeByName, attributeRoots } from "./attributes.ts";
import { attributeExtent, type Extent, eachOf, largest, memberOf, scalar, text, valuesIn } from "./extent.ts";
import { findFunction, loopResult } from "./functions.ts";
import { limits } from "./limits.ts";
import { compilePattern } from "./matches.ts";
import { attributeName, childrenOf, type Node } from "./tree.ts";

/** What the library does when something fails and may be caught again, in visits of nodes. */
const FAILURE = 150;

/**
 * The most work that one evaluation can be, in visits of nodes, with every attribute as large as it may be: branches that are not taken are
 * counted, loops run to their end. Needs a tree that was walked (`walk.ts`).
 */
export function costOf(tree: Node): number {
  const meter = new Meter();
  meter.visit(tree, new Map(), 1);
  return Math.ceil(meter.cost);
}

/** Comparing a value inside two lists or maps. */
const COMPARED = 0.4;

type Scope = ReadonlyMap<string, Extent>;

class Meter {
  cost = 0;

  /** `times`: how often the node is visited. Returns how large its value can be. */
  visit(node: Node, scope: Scope, times: number): Extent {
    this.cost += times;
    const name = attributeName(node, (root) => attributeRoots.has(root) && !scope.has(root));
    const row = name === undefined ? undefined : attributeByName.get(name);
    if (row !== undefined) {
      this.cost += times;
      return attributeExtent(row.type);
    }
    switch (node.op) {
      case "value":
        return typeof node.args === "string" ? text(node.args.length) : scalar;
      case "id":
        return scope.get(node.args) ?? scalar;
      case ".":
        return memberOf(this.visit(node.args[0], scope, times));
      case "[]":
        this.visit(node.args[1], scope, times);
        return memberOf(this.visit(node.args[0], scope, times));
      case "list": {
        const members = node.args.map((item) => this.visit(item, scope, times));
        return { chars: 0, items: members.length, inner: largest(members) };
      }
      case "?:": {
        this.visit(node.args[0], scope, times);
        return largest([this.visit(node.args[1], scope, times), this.visit(node.args[2], scope, times)]);
      }
      case "||":
      case "&&":
        for (const side of node.args) {
          this.visit(side, scope, times);
          if (canFail(side)) this.cost += times * FAILURE;
        }
        return scalar;
      case "+": {
        const [left, right] = [this.visit(node.args[0], scope, times), this.visit(node.args[1], scope, times)];
        const sum = { chars: left.chars + right.chars, items: left.items + right.items };
        this.cost += times * (sum.chars / 64 + sum.items / 4);
        return { ...largest([left, right]), ...sum };
      }
      case "==":
      case "!=": {
        const [left, right] = [this.visit(node.args[0], scope, times), this.visit(node.args[1], scope, times)];
        this.cost +=
          times * (1 + COMPARED * Math.min(valuesIn(left), valuesIn(right)) + Math.min(left.chars, right.chars) / 64);
        return scalar;
      }
      case "in": {
        const subject = this.visit(node.args[0], scope, times);
        const list = this.visit(node.args[1], scope, times);
        this.cost += times * list.items * COMPARED * Math.min(valuesIn(subject), valuesIn(memberOf(list)));
        return scalar;
      }
      case "call":
        return this.#call(node.args[0], undefined, node.args[1], scope, times);
      case "rcall":
        return this.#call(node.args[0], node.args[1], node.args[2], scope, times);
      default:
        for (const child of childrenOf(node)) this.visit(child, scope, times);
        return scalar;
    }
  }

  #call(name: string, receiver: Node | undefined, args: readonly Node[], scope: Scope, times: number): Extent {
    const row = findFunction(receiver !== undefined, name.replace(/_$/, ""), args.length);
    if (receiver !== undefined && row?.kind === "loop") return this.#loop(name, receiver, args, scope, times);
    const values = [...(receiver === undefined ? [] : [receiver]), ...args].map((part) =>
      this.visit(part, scope, times),
    );
    this.cost += times * (2 + (row?.work?.(values) ?? 0));
    if (name === "matches") this.cost += times * patternWork(args[0]!, values[0]!);
    return row?.result?.(values) ?? scalar;
  }

  #loop(name: string, receiver: Node, [variable, ...body]: readonly Node[], scope: Scope, times: number): Extent {
    const list = this.visit(receiver, scope, times);
    const inside = new Map(scope).set(variable!.op === "id" ? variable!.args : "", orKeys(eachOf(list)));
    const turns = times * list.items;
    this.cost += turns * 3;
    let result = scalar;
    for (const part of body) {
      result = this.visit(part, inside, turns);
      if (canFail(part)) this.cost += turns * FAILURE;
    }
    return loopResult(name, list, result);
  }
}

/** Of a map the variable of a loop is a key. */
function orKeys(member: Extent): Extent {
  const key = limits.attributeTotal / limits.attributeItems;
  return member.chars >= key ? member : { ...member, chars: key };
}

/** A pattern's program may follow as many paths as it has instructions. */
function patternWork(argument: Node, subject: Extent): number {
  const compiled = argument.op === "value" ? compilePattern(String(argument.args)) : undefined;
  const size = compiled?.fault === undefined ? (compiled?.size ?? limits.patternProgram) : limits.patternProgram;
  return 20 + (Math.min(subject.chars, limits.patternSubject) * size) / 6;
}

/** May the node throw? Comparing for equality, constants and attributes do not. */
function canFail(node: Node): boolean {
  switch (node.op) {
    case "value":
    case "id":
      return false;
    case "==":
    case "!=":
    case "!_":
    case "list":
    case "||":
    case "&&":
      return childrenOf(node).some(canFail);
    default:
      return true;
  }
}
