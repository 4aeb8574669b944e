import { canonicalAddress } from "./address-text.ts";
import { attributeByName, attributeRoots } from "./attributes.ts";
import type { ExpressionFault } from "./contract.ts";
import { parseDuration, readTimestamp } from "./time-functions.ts";
import type { Node } from "./tree.ts";

const LARGEST_INT = 2n ** 63n - 1n;

/** Constants with which an operation can never mean what its author meant. */
export function refuseOperation(node: Node, variables: readonly string[]): readonly ExpressionFault[] {
  switch (node.op) {
    case "value": {
      if (typeof node.args === "string" && isUnclearRawText(node))
        return [fault(node, "a raw text cannot hold a backslash before a quotation mark", "write it without `r`")];
      const tooLarge = typeof node.args === "bigint" && node.args > LARGEST_INT && !isNegated(node);
      return tooLarge ? [fault(node, "the number does not fit into 64 bits")] : [];
    }
    case "/":
    case "%": {
      const divisor = node.args[1];
      return divisor.op === "value" && divisor.args === 0n ? [fault(divisor, "division by zero")] : [];
    }
    case "==":
    case "!=":
      return [
        ...refuseComparison(node.args[0], node.args[1], variables),
        ...refuseComparison(node.args[1], node.args[0], variables),
      ];
    case "in":
      return node.args[1].op === "list"
        ? node.args[1].args.flatMap((item) => refuseComparison(node.args[0], item, variables))
        : [];
    default:
      return [];
  }
}

/** `r"\"`: CEL ends the text at the second quotation mark, as nothing is escaped in it; the library goes on. */
function isUnclearRawText({ input, start, end }: Node): boolean {
  const written = input.slice(start, end);
  const [, mark] = /^[rR]("""|'''|["'])/.exec(written) ?? [];
  return mark !== undefined && written.includes(`\\${mark}`);
}

/** -2^63 is written as the negation of a number that does not fit by itself. */
function isNegated(node: Node & { op: "value" }): boolean {
  return (node.args as unknown as bigint) === LARGEST_INT + 1n && /-\s*$/.test(node.input.slice(0, node.start));
}

function refuseComparison(subject: Node, literal: Node, variables: readonly string[]): readonly ExpressionFault[] {
  if (literal.op !== "value" || typeof literal.args !== "string") return [];
  if (subject.op !== "." || subject.args[0].op !== "id" || variables.includes(subject.args[0].args)) return [];
  if (!attributeRoots.has(subject.args[0].args)) return [];
  const row = attributeByName.get(`${subject.args[0].args}.${subject.args[1]}`);
  const help = row?.refuseLiteral?.(literal.args);
  return help === undefined ? [] : [fault(literal, `\`${row!.name}\` is never equal to this`, help)];
}

/** The text that a conversion is called with, when it is written there and has no value. */
export function refuseLiteralCall(name: string, args: readonly Node[]): ExpressionFault | undefined {
  const [argument] = args;
  if (argument?.op !== "value" || typeof argument.args !== "string") return undefined;
  const refusal = conversions[name]?.(argument.args);
  return refusal === undefined || refusal === false ? undefined : fault(argument, refusal);
}

const conversions: Readonly<Record<string, (text: string) => string | false>> = {
  timestamp: (text) => readTimestamp(text) === undefined && "timestamps are written like `2030-01-31T00:00:00Z`",
  duration: (text) => parseDuration(text) === undefined && "durations are written like `1h30m`",
  ip: (text) => canonicalAddress(text) === undefined && "this is no address",
  int: (text) => !/^[+-]?\d{1,19}$/.test(text) && "this is no int",
};

function fault({ start, end }: Node, message: string, help?: string): ExpressionFault {
  const found = { code: "condition/literal", start, end, message } as const;
  return help === undefined ? found : { ...found, help };
}
