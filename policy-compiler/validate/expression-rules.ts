import { compileCondition, compileValue } from "#policy-compiler/conditions/compile";
import type { ExpressionFault } from "#policy-compiler/conditions/contract";
import type { ExpressionDocument } from "#policy-compiler/document/model";
import type { Span } from "#policy-compiler/source/diagnostic";
import { spanOfRange } from "#policy-compiler/yaml/scalar-runs";
import type { AnyRow, ExpressionSubject } from "./rule.ts";

const codes: readonly ExpressionFault["code"][] = [
  "condition/syntax",
  "condition/type",
  "condition/not-allowed",
  "condition/pattern",
  "condition/too-complex",
  "condition/literal",
  "condition/claims-before-tokens",
];

/** Rows about what is wrong with an expression, one for each kind of fault. An empty one is told of by its own row. */
export const expressionRows: readonly AnyRow[] = codes.map((code) => ({
  code,
  about: "expression",
  *find(subject) {
    if (subject.expression.text === "") return;
    const fault = faultOf(subject);
    if (fault === undefined || fault.code !== code) return;
    const { message, help, start, end } = fault;
    const told = { span: spanIn(subject.expression, start, end), message };
    yield help === undefined ? told : { ...told, help };
  },
}));

/** PERF: an expression is compiled once for all rows. A document is judged in one place, by one action. */
const judged = new WeakMap<ExpressionDocument, { readonly fault: ExpressionFault | undefined }>();

function faultOf({ policy, of, expression }: ExpressionSubject): ExpressionFault | undefined {
  const known = judged.get(expression);
  if (known !== undefined) return known.fault;
  const place = { beforeTokens: policy.action.value === "CUSTOM" };
  const compile = of === "condition" ? compileCondition : compileValue;
  const compiled = compile(expression.text, place);
  const fault = compiled.ok ? undefined : compiled.fault;
  judged.set(expression, { fault });
  return fault;
}

function spanIn({ runs, span }: ExpressionDocument, start: number, end: number): Span {
  return runs === undefined ? span : spanOfRange(runs, start, end);
}
