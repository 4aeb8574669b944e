import { attributeByName } from "#policy-compiler/conditions/attributes";
import { compileCondition, compileValue } from "#policy-compiler/conditions/compile";
import type { ExpressionFault } from "#policy-compiler/conditions/contract";
import { limits } from "#policy-compiler/conditions/limits";
import type { Action, ExpressionDocument } from "#policy-compiler/document/model";
import type { Span } from "#policy-compiler/source/diagnostic";
import { spanOfRange } from "#policy-compiler/yaml/scalar-runs";
import { findJoinedComment } from "./joined-comment.ts";
import type { AnyRow, ExpressionSubject } from "./rule.ts";
import { deniesOnEveryPort, widenedByIstiosCheck } from "./tcp-widening.ts";

const codes: readonly ExpressionFault["code"][] = [
  "condition/syntax",
  "condition/type",
  "condition/not-allowed",
  "condition/pattern",
  "condition/too-complex",
  "condition/literal",
  "condition/claims-before-tokens",
];

/** Rows about expressions: what is wrong with one, a row for each kind of fault, and what one asks for that not every port has. */
export const expressionRows: readonly AnyRow[] = [
  ...codes.map(
    (code): AnyRow => ({
      code,
      about: "expression",
      *find({ policy, of, expression }) {
        const { fault } = judge(expression, of, policy.action.value);
        if (fault === undefined || fault.code !== code) return;
        const { message, help, start, end } = fault;
        const told = { span: spanIn(expression, start, end), message: oneLine(message) };
        yield help === undefined ? told : { ...told, help: oneLine(help) };
      },
    }),
  ),
  {
    code: "lint/conditions-costly",
    about: "policy",
    *find(policy) {
      const conditions = policy.rules.flatMap(({ extension }) => extension?.cel?.expressions ?? []);
      const [first] = conditions;
      if (first === undefined) return;
      const cost = conditions.reduce((sum, one) => sum + judge(one, "condition", policy.action.value).cost, 0);
      if (cost <= limits.costTogether) return;
      yield {
        span: policy.head.name.span,
        message: `expected conditions that take at most ${limits.costTogether} steps together, found ${cost}, which one request that meets all of them pays`,
        help: "give the rules hosts, paths or methods that tell them apart, or write fewer loops",
      };
    },
  },
  {
    code: "lint/deny-widens-on-tcp",
    about: "extension",
    *find({ policy, rule, extension }) {
      const subject = { policy, rule };
      if (!deniesOnEveryPort(subject) || widenedByIstiosCheck(subject) !== undefined) return;
      for (const expression of extension.cel?.expressions ?? []) {
        const asked = judge(expression, "condition", policy.action.value).attributes.find(isUnknownOnTcp);
        if (asked === undefined) continue;
        yield {
          span: expression.span,
          message: `expected ports beside \`${asked}\` in a DENY rule, found none, so that it denies on TCP ports too, where that is unknown`,
          help: "add a `to` with `ports`",
        };
        return;
      }
    },
  },
];

function isUnknownOnTcp(attribute: string): boolean {
  const filledBy = attributeByName.get(attribute)?.filledBy;
  return filledBy === "http" || filledBy === "token";
}

interface Judgement {
  readonly fault: ExpressionFault | undefined;
  /** What the expression reads. */
  readonly attributes: readonly string[];
  /** Units of work at worst; 0 where it has a fault. */
  readonly cost: number;
}

/** Of an empty one its own row tells. */
const nothing: Judgement = { fault: undefined, attributes: [], cost: 0 };

/** PERF: an expression is compiled once for all rows. It stands in one place of one document. */
const judged = new WeakMap<ExpressionDocument, Judgement>();

function judge(expression: ExpressionDocument, of: ExpressionSubject["of"], action: Action): Judgement {
  if (expression.text === "") return nothing;
  let judgement = judged.get(expression);
  if (judgement === undefined) {
    const fault = commentFault(expression);
    judgement =
      fault === undefined ? compileExpression(expression.text, of, action) : { fault, attributes: [], cost: 0 };
    judged.set(expression, judgement);
  }
  return judgement;
}

function commentFault({ text, runs }: ExpressionDocument): ExpressionFault | undefined {
  const comment = runs && findJoinedComment(text, runs);
  return (
    comment && {
      ...comment,
      code: "condition/syntax",
      message: "the comment goes on over the end of its line, as YAML joins these lines",
      help: "write the expression as a block with `|`, which keeps lines",
    }
  );
}

function compileExpression(text: string, of: ExpressionSubject["of"], action: Action): Judgement {
  const place = { beforeTokens: action === "CUSTOM" };
  if (of === "condition") {
    const compiled = compileCondition(text, place);
    return compiled.ok
      ? { fault: undefined, attributes: compiled.condition.attributes, cost: compiled.condition.cost }
      : { fault: compiled.fault, attributes: [], cost: 0 };
  }
  const compiled = compileValue(text, place);
  return compiled.ok
    ? { fault: undefined, attributes: compiled.value.attributes, cost: compiled.value.cost }
    : { fault: compiled.fault, attributes: [], cost: 0 };
}

function spanIn({ runs, span }: ExpressionDocument, start: number, end: number): Span {
  return runs === undefined ? span : spanOfRange(runs, start, end);
}

/** Sentences of the compiler of expressions can hold the author's text as it stands. */
function oneLine(sentence: string): string {
  return sentence.replaceAll(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, " ");
}
