import { toAsciiLowerCase } from "#policy-compiler/ruleset/byte-string";
import type { TextTest } from "#policy-compiler/ruleset/model";

/** A pattern of header names: `x-a`, `x-*` or `*-a`; `text` in lower case, for names are compared without regard to case. */
export type HeaderPattern = Exclude<TextTest, { readonly op: "present" }>;

/** Reads a pattern as Istio does: a leading star counts before a trailing one, any other star is literal. */
export function parseHeaderPattern(text: string): HeaderPattern {
  const lower = toAsciiLowerCase(text);
  if (lower.startsWith("*")) return { op: "suffix", text: lower.slice(1) };
  if (lower.endsWith("*")) return { op: "prefix", text: lower.slice(0, -1) };
  return { op: "exact", text: lower };
}

/** Does one of the patterns match a lower-case name? */
export function matchesHeader(patterns: readonly HeaderPattern[], name: string): boolean {
  return patterns.some(({ op, text }) => {
    switch (op) {
      case "exact":
        return name === text;
      case "prefix":
        return name.startsWith(text);
      case "suffix":
        return name.endsWith(text);
      default:
        return op satisfies never;
    }
  });
}
