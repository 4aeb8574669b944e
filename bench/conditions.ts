import { compileCondition } from "#policy-compiler/conditions/compile";
import type { CompiledCondition, Facts } from "#policy-compiler/conditions/contract";
import { limits } from "#policy-compiler/conditions/limits";
import { makeFacts, requestFacts } from "#test/support/conditions/facts";

/** What conditions take by themselves; medians. */
export interface ConditionsCost {
  readonly twoComparisonsNanos: number;
  readonly matchesNanos: number;
  readonly failureNanos: number;
  readonly loadMillis: number;
  /** The dearest of `hostile`, if it cost as much as a condition may. */
  readonly worstMillis: number;
}

/** What conditions cost by themselves, without the rules around them: medians of `rounds`. */
export function conditionsCost(rounds: number): ConditionsCost {
  const facts = makeFacts();
  return {
    twoComparisonsNanos: nanosOf('request.method == "GET" && request.path == "/users/7/files"', facts, rounds, 200_000),
    matchesNanos: nanosOf('request.path.matches("^/users/[0-9]+/[a-z]+$")', facts, rounds, 100_000),
    failureNanos: nanosOf("claims.nothing == 1", facts, rounds, 100_000),
    loadMillis: median(Array.from({ length: rounds }, (_, round) => loadMillis(round))),
    worstMillis: Math.max(...hostile().map(([text, hostileFacts]) => worstMillis(text, hostileFacts))),
  };
}

function loadMillis(round: number): number {
  const started = performance.now();
  for (let i = 0; i < 1000; i++) {
    const pattern = i % 4 === 0 ? `request.path.matches("^/r${round}/a${i}/[0-9]+$")` : `"r${i}" in claims.groups`;
    compile(`request.method == "GET" && has(claims.groups) && ${pattern}`);
  }
  return performance.now() - started;
}

function nanosOf(text: string, facts: Facts, rounds: number, times: number): number {
  const condition = compile(text);
  const run = () => {
    const started = performance.now();
    for (let i = 0; i < times; i++) condition.evaluate(facts);
    return ((performance.now() - started) * 1e6) / times;
  };
  run();
  return median(Array.from({ length: rounds }, run));
}

function worstMillis(text: string, facts: Facts): number {
  const condition = compile(text);
  const times = Array.from({ length: 9 }, () => {
    const started = performance.now();
    condition.evaluate(facts);
    return performance.now() - started;
  });
  return (median(times) * limits.cost) / condition.cost;
}

function compile(text: string): CompiledCondition {
  const compiled = compileCondition(text, { beforeTokens: false });
  if (!compiled.ok) throw new Error(`${text}: ${compiled.fault.message}`);
  return compiled.condition;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1]!;
}

/** Expressions with what a client can send against each. */
function hostile(): readonly (readonly [string, Facts])[] {
  const claims = (made: Record<string, unknown>) => makeFacts({ claims: made });
  const many = (word: string) => Array.from({ length: limits.attributeItems - 1 }, (_, i) => word + i);
  const pairs = (sign: number) => Array.from({ length: 250 }, (_, i) => [1, 2, sign * (i + 1)]);
  const header = (value: string) => makeFacts({ request: requestFacts({ "x-a": [value] }) });
  return [
    ["claims.a.exists(x, x.foo == 1)", claims({ a: many("x") })],
    ["claims.a.exists(x, x.foo.bar == 1 || x.b.c == 1 || int(x) == 1)", claims({ a: many("x") })],
    ["claims.a.exists(x, x in claims.b)", claims({ a: pairs(1), b: pairs(-1) })],
    ["claims.a.exists(x, string(x) in claims.b)", claims({ a: many("x"), b: many("y") })],
    ["claims.a.all(x, timestamp(string(x)) > now || true)", claims({ a: many("x") })],
    ['request.headers["x-a"].matches(".*(a{1,90})$")', header("a".repeat(limits.patternSubject))],
    ['request.headers["x-a"].matches("(a|aa|aaa)*b")', header("a".repeat(limits.patternSubject))],
    [
      'request.headers["x-a"].contains(request.headers["x-b"])',
      makeFacts({
        request: requestFacts({ "x-a": ["a".repeat(8000)], "x-b": [`${"a".repeat(120)}b${"a".repeat(120)}`] }),
      }),
    ],
    ['request.headers["x-a"].lowerAscii().trim().size() == 1', header("A".repeat(8000))],
    ['pathTemplate(request.headers["x-a"], "/{*}/b/{**}")', header(`/${"a/b".repeat(2600)}`)],
  ];
}
