import type { Environment } from "@marcbachmann/cel-js";
import { toByteString } from "#policy-compiler/ruleset/byte-string";
import { parsePathTemplate } from "#policy-compiler/ruleset/patterns/parse-path-template";
import { nextOddAfresh, templateMatcher } from "#policy-compiler/ruleset/patterns/path-template";
import { constantFunction } from "./constant-function.ts";
import { limits } from "./limits.ts";

/** `pathTemplate(text, "…")`, as `paths` read templates, and `glob(text, "…")`. */
export function registerPathPatterns(environment: Environment): void {
  constantFunction(environment, "pathTemplate(ast, ast): bool", {
    constant: 1,
    subject: 0,
    type: "bool",
    code: "condition/pattern",
    prepare(text) {
      if (text.length > limits.pattern) return { fault: `a template has at most ${limits.pattern} characters` };
      const parse = parsePathTemplate(text);
      if (parse.kind === "pattern") return { fault: "a path template holds `{*}` or `{**}`" };
      if (parse.kind === "refused") return { fault: `\`${parse.segment}\` cannot stand in a path template` };
      const matches = templateMatcher(parse.pieces, parse.globs, nextOddAfresh);
      return { run: (path) => matches(toByteString(path)) };
    },
  });
  constantFunction(environment, "glob(ast, ast): bool", {
    constant: 1,
    subject: 0,
    type: "bool",
    code: "condition/pattern",
    prepare(text) {
      if (text.length > limits.pattern) return { fault: `a pattern has at most ${limits.pattern} characters` };
      const pieces = text.split(/\*+/);
      return { run: (subject) => matchesGlob(subject, pieces) };
    },
  });
}

/**
 * Literal, any text, literal, any text … literal, over the whole text. The leftmost place of each literal is as good as any later one, so
 * that nothing is tried twice.
 */
function matchesGlob(text: string, pieces: readonly string[]): boolean {
  const first = pieces[0]!;
  if (pieces.length === 1) return text === first;
  const last = pieces.at(-1)!;
  const end = text.length - last.length;
  if (!text.startsWith(first) || end < first.length || !text.endsWith(last)) return false;
  let at = first.length;
  for (const piece of pieces.slice(1, -1)) {
    const found = text.indexOf(piece, at);
    if (found < 0) return false;
    at = found + piece.length;
  }
  return at <= end;
}
