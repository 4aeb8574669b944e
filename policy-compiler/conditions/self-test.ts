import { finish, type Steps } from "#policy-compiler/ruleset/steps";
import { createActivation } from "./environment.ts";
import { createProgram, parseExpression } from "./program.ts";
import { walkExpression } from "./walk.ts";

interface Expectation {
  readonly text: string;
  /** "refused": as it is checked. */
  readonly outcome: true | false | "refused" | "throws";
}

/**
 * What the library must do so that the wrapper around it holds: it finds our `matches` before its own, looks names of functions up after
 * the walk changed them, and absorbs errors as CEL says. In each the library by itself would do something else.
 */
const expectations: readonly Expectation[] = [
  // RE2 syntax that is none of JavaScript's, and the other way round.
  { text: '"A".matches("(?i)a")', outcome: true },
  { text: '"a".matches("(?=a)a")', outcome: "refused" },
  { text: '"a".matches("\\\\z")', outcome: true },
  { text: '"a".matches("a" + "b")', outcome: "refused" },
  { text: 'int("" + "") == 0', outcome: "throws" },
  { text: '"\u212a".lowerAscii() == "k"', outcome: false },
  { text: 'timestamp("2024-02-28T00:00:00Z" + "") < timestamp("2024-02-30T00:00:00Z" + "")', outcome: "throws" },
  { text: '"\u{1f600}".size() == 1', outcome: true },
  { text: 'timestamp("9999-12-31T23:59:59Z") + duration("1s") > now', outcome: "throws" },
  { text: '"\\uff00" < "\\U0001f600"', outcome: true },
  { text: 'duration("0") - duration("1.5s") == duration("-1.5s")', outcome: true },
  { text: "-(-9223372036854775808) > 0", outcome: "throws" },
  { text: "1 / size([]) == 1 || true", outcome: true },
  { text: "1 / size([]) == 1 && false", outcome: false },
  { text: "1 / size([]) == 1 || false", outcome: "throws" },
  { text: "1", outcome: "refused" },
];

let found: readonly string[] | undefined;

/** The expressions of which the library does not make what it must; empty: all is well. Runs once; with any, nothing compiles. */
export function selfTest(): readonly string[] {
  return found ?? finish(selfTestInSteps());
}

/** The same in steps of one expression, for a thread that has requests to answer before the first expression is compiled. */
export function* selfTestInSteps(): Steps<readonly string[]> {
  const failed: string[] = [];
  for (const { text, outcome } of found === undefined ? expectations : []) {
    if (observe(text) !== outcome) failed.push(text);
    yield;
  }
  found ??= failed;
  return found;
}

function observe(text: string): unknown {
  try {
    const parsed = parseExpression(text);
    if (walkExpression(parsed.ast, { beforeTokens: false }).faults.length > 0) return "refused by the walk";
    const { valid, type } = parsed.check();
    if (!valid || type !== "bool") return "refused";
    return createProgram(parsed).run(createActivation());
  } catch {
    // Which error it is does not matter here.
    return "throws";
  }
}
