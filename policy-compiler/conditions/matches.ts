import type { Environment } from "@marcbachmann/cel-js";
import { RE2JS } from "re2js";
import { constantFunction } from "./constant-function.ts";
import { faults } from "./evaluation-fault.ts";
import { limits } from "./limits.ts";

/**
 * `text.matches("pattern")` by RE2, whose time is linear in the text, in place of the library's, which backtracks. The library finds
 * macros by name and number of arguments alone: one on another receiver (`bool`) takes every call. `selfTest` sees to it that it does.
 */
export function registerMatches(environment: Environment): void {
  constantFunction(environment, "bool.matches(ast): bool", {
    constant: 0,
    subject: "receiver",
    type: "bool",
    code: "condition/pattern",
    prepare(text) {
      const compiled = compilePattern(text);
      if (compiled.fault !== undefined) return compiled;
      const { pattern } = compiled;
      return {
        run(subject) {
          if (subject.length > limits.patternSubject) throw faults.tooLong;
          return pattern.test(subject);
        },
      };
    },
  });
}

export type CompiledPattern =
  | { readonly pattern: RE2JS; readonly size: number; readonly fault?: undefined }
  | { readonly fault: string };

/** RE2 syntax (no look-around, no back references), with bounds on what the pattern's program may grow to. */
export function compilePattern(text: string): CompiledPattern {
  if (text.length > limits.pattern) return { fault: `a pattern has at most ${limits.pattern} characters` };
  for (const [, low, high] of text.matchAll(/\{(\d+)(?:,(\d*))?\}/g)) {
    if (Math.max(Number(low), Number(high || 0)) > limits.patternRepeat)
      return { fault: `a count in a pattern is at most ${limits.patternRepeat}` };
  }
  try {
    const pattern = RE2JS.compile(text);
    const size = pattern.programSize();
    return size > limits.patternProgram ? { fault: "the pattern is too large" } : { pattern, size };
  } catch (error) {
    // Whatever stops the pattern's compiler, the pattern is not used.
    return { fault: error instanceof Error ? error.message : "no RE2 pattern" };
  }
}
