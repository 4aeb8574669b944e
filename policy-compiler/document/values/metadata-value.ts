import type { ValueTest } from "#policy-compiler/ruleset/model";
import { parseTextPattern } from "./text-pattern.ts";

/**
 * A value of `experimental.envoy.filters.NS[KEY]`: with brackets at both ends a test for some element of a list, else for a
 * string. Every bracket at either end goes, as Istio trims them: `[[a]` tests for `a`. Total.
 */
export function parseMetadataValue(text: string): ValueTest {
  const list = text.startsWith("[") && text.endsWith("]");
  return { kind: "metadata", list, test: parseTextPattern(list ? trimBrackets(text) : text) };
}

function trimBrackets(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && (text[start] === "[" || text[start] === "]")) start++;
  while (end > start && (text[end - 1] === "[" || text[end - 1] === "]")) end--;
  return text.slice(start, end);
}
