import type { Value } from "@bufbuild/cel-spec/cel/expr/value_pb.js";
import { getConformanceSuite, type IncrementalTestSuite } from "@bufbuild/cel-spec/testdata/tests.js";
import { compileCondition } from "#policy-compiler/conditions/compile";
import type { ConditionResult, ExpressionFault } from "#policy-compiler/conditions/contract";
import { makeFacts } from "./facts.ts";

export interface SpecTest {
  /** `file/section/name`. */
  readonly name: string;
  readonly expression: string;
  /** An expression that must be true if the implementation is right; undefined: evaluating `expression` must fail. */
  readonly claim: string | undefined;
}

export type SpecOutcome =
  | { readonly kind: "agrees" }
  /** It does not compile: what it needs is not offered. */
  | { readonly kind: "refused"; readonly fault: ExpressionFault }
  | { readonly kind: "differs"; readonly result: ConditionResult };

/** The evaluated tests of cel-spec whose results an expression can be compared with, and that need no variables of their own. */
export function specTests(): readonly SpecTest[] {
  return getConformanceSuite().suites.flatMap((suite) => collect(suite, [suite.name]));
}

function collect(suite: IncrementalTestSuite, path: readonly string[]): readonly SpecTest[] {
  const own = suite.tests.flatMap(({ original, name }): SpecTest[] => {
    const { expr, checkOnly, bindings, resultMatcher } = original;
    if (checkOnly || Object.keys(bindings).length > 0) return [];
    const full = [...path, name].join("/");
    // Without a result the specification means `true`.
    if (resultMatcher.case === undefined) return [{ name: full, expression: expr, claim: expr }];
    if (resultMatcher.case === "evalError") return [{ name: full, expression: expr, claim: undefined }];
    if (resultMatcher.case !== "value") return [];
    const claim = claimOf(expr, resultMatcher.value);
    return claim === undefined ? [] : [{ name: full, expression: expr, claim }];
  });
  return [...own, ...suite.suites.flatMap((inner) => collect(inner, [...path, inner.name]))];
}

function claimOf(expression: string, value: Value): string | undefined {
  if (value.kind.case === "boolValue") return value.kind.value ? expression : `!(${expression}\n)`;
  if (value.kind.case === "doubleValue" && Number.isNaN(value.kind.value))
    return `(${expression}\n) != (${expression}\n)`;
  const literal = literalOf(value);
  return literal === undefined ? undefined : `(${expression}\n) == ${literal}`;
}

function literalOf({ kind }: Value): string | undefined {
  switch (kind.case) {
    case "nullValue":
      return "null";
    case "boolValue":
    case "int64Value":
      return String(kind.value);
    case "doubleValue":
      if (Object.is(kind.value, -0)) return "-0.0";
      if (!Number.isFinite(kind.value)) return `${kind.value < 0 ? "-" : ""}(1.0/0.0)`;
      return Number.isInteger(kind.value) ? kind.value.toFixed(1) : String(kind.value);
    case "stringValue":
      return JSON.stringify(kind.value);
    case "listValue": {
      const items = kind.value.values.map(literalOf);
      return items.includes(undefined) ? undefined : `[${items.join(", ")}]`;
    }
    default:
      return undefined;
  }
}

/** What our conditions make of a test. */
export function runSpecTest({ expression, claim }: SpecTest): SpecOutcome {
  const place = { beforeTokens: false };
  // An expression that must fail need not be a condition by itself.
  for (const text of claim === undefined ? [expression, `(${expression}\n) == (${expression}\n)`] : [claim]) {
    const compiled = compileCondition(text, place);
    if (!compiled.ok) {
      if (compiled.fault.code === "condition/type" && text === expression && claim === undefined) continue;
      return { kind: "refused", fault: compiled.fault };
    }
    const result = compiled.condition.evaluate(makeFacts());
    const right = claim === undefined ? result.value === undefined : result.value === true;
    return right ? { kind: "agrees" } : { kind: "differs", result };
  }
  throw new Error("unreachable");
}
