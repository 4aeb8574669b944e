import { type CelInput, celEnv, isCelError, parse, plan } from "@bufbuild/cel";
import { strings } from "@bufbuild/cel/ext";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { Unfit } from "#policy-compiler/conditions/attribute-value";
import { attributes } from "#policy-compiler/conditions/attributes";
import type { Facts } from "#policy-compiler/conditions/contract";

const environment = celEnv({ funcs: strings });

/** What another implementation makes of an expression: its value, or "error". Facts must be known and fit. */
export function secondOpinion(expression: string, facts: Facts): unknown {
  let program: (variables: Record<string, CelInput>) => unknown;
  try {
    program = plan(environment, parse(expression)) as typeof program;
  } catch (error) {
    return `unreadable: ${error instanceof Error ? error.message : String(error)}`;
  }
  const result = program(variablesOf(facts));
  return isCelError(result) ? "error" : result;
}

function variablesOf(facts: Facts): Record<string, CelInput> {
  const variables: Record<string, CelInput> = {};
  for (const { name, read } of attributes) {
    const value = read(facts, undefined);
    if (value instanceof Unfit) throw new Error(`${name} is ${value.reason}`);
    const [root, member] = name.split(".") as [string, string | undefined];
    const given = value instanceof Date ? timestampFromMs(value.getTime()) : (value as CelInput);
    if (member === undefined) {
      variables[root] = given;
    } else {
      const members = (variables[root] ?? new Map()) as Map<string, CelInput>;
      if (value !== undefined) members.set(member, given);
      variables[root] = members as CelInput;
    }
  }
  return variables;
}
