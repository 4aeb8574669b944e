import type { RequestAttributes } from "./attributes.ts";
import type { CustomMatch } from "./contract.ts";
import type { RuleTable } from "./rule-table.ts";

/** The provider of a CUSTOM rule; undefined where it is not asked: an HTTP provider cannot speak of a connection. */
export function providerOf(table: RuleTable, id: number, request: RequestAttributes): string | undefined {
  const provider = table.ruleSet.policies[table.rule(id).policy]!.provider ?? "";
  return request.http === undefined && table.isHttpProvider(provider) ? undefined : provider;
}

/** From the smallest matching rule of each provider to the answer, in byte order of the providers' names. */
export function lowestCustom(table: RuleTable, lowest: ReadonlyMap<string, number>): readonly CustomMatch[] {
  if (lowest.size === 0) return NONE;
  return [...lowest]
    .sort(([a], [b]) => compareBytes(a, b))
    .map(([provider, id]) => ({ provider, rule: table.ref(id) }));
}

const NONE: readonly CustomMatch[] = [];

/** UTF-8 byte order, which is the order of code points. */
function compareBytes(a: string, b: string): number {
  const left = [...a];
  const right = [...b];
  for (let i = 0; i < left.length && i < right.length; i++) {
    const difference = left[i]!.codePointAt(0)! - right[i]!.codePointAt(0)!;
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}
