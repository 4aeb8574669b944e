import { quote } from "#identity/encoding/quote";
import { parseGoBoolean } from "#policy-compiler/document/values/go-boolean";
import type { AnyRow } from "./rule.ts";

/** Expressions of one rule; whoever needs more can join them with `&&`. */
export const mostConditions = 16;

/** Rows about what only policies of our own group say, as a whole: which parts they may have, and where. */
export const extensionRows: readonly AnyRow[] = [
  {
    code: "condition/empty",
    about: "extension",
    *find({ extension: { cel } }) {
      if (cel === undefined || cel.expressions.length > 0) return;
      yield {
        span: cel.span,
        message: "expected an expression in `cel`, found none",
        help: "remove `cel` to ask for nothing beyond the fields of the rule",
      };
    },
  },
  {
    code: "condition/empty",
    about: "expression",
    *find({ expression, field }) {
      if (expression.text !== "") return;
      yield { span: expression.span, message: `expected an expression in \`${field}\`, found empty text` };
    },
  },
  {
    code: "condition/too-many",
    about: "extension",
    *find({ extension: { cel } }) {
      const surplus = cel?.expressions[mostConditions];
      if (cel === undefined || surplus === undefined) return;
      yield {
        span: surplus.span,
        message: `expected at most ${mostConditions} expressions in \`cel\`, found ${cel.expressions.length}`,
        help: "join some of them with `&&`",
      };
    },
  },
  {
    code: "response/action",
    about: "extension",
    *find({ policy: { action }, extension }) {
      for (const [field, allowed] of [
        ["denyResponse", "DENY"],
        ["allowResponse", "ALLOW"],
      ] as const) {
        const response = extension[field];
        if (response === undefined || action.value === allowed) continue;
        yield {
          span: response.span,
          message: `expected \`${field}\` with action ${allowed} only, found action ${quote(action.value)}`,
          help:
            action.value === "CUSTOM"
              ? "under CUSTOM it is the provider that answers"
              : `remove it, or put it into a policy with \`action: ${allowed}\``,
        };
      }
    },
  },
  {
    code: "response/empty",
    about: "extension",
    *find({ extension: { denyResponse, allowResponse } }) {
      if (
        denyResponse !== undefined &&
        denyResponse.status === undefined &&
        denyResponse.headers.length === 0 &&
        denyResponse.body === undefined
      ) {
        yield {
          span: denyResponse.span,
          message: "expected `status`, `headers` or `body` in `denyResponse`, found none of them",
          help: "remove it to answer as Istio does: 403",
        };
      }
      if (
        allowResponse !== undefined &&
        allowResponse.requestHeaders.length + allowResponse.responseHeaders.length === 0 &&
        allowResponse.dynamicMetadata.length === 0
      ) {
        yield {
          span: allowResponse.span,
          message:
            "expected `requestHeaders`, `responseHeaders` or `dynamicMetadata` in `allowResponse`, found none of them",
          help: "remove it",
        };
      }
    },
  },
  {
    code: "lint/response-in-dry-run",
    about: "extension",
    *find({ policy: { head, action }, extension: { denyResponse, allowResponse } }) {
      const annotation = head.annotations.get("istio.io/dry-run")?.value;
      const response = action.value === "DENY" ? denyResponse : action.value === "ALLOW" ? allowResponse : undefined;
      if (response === undefined || annotation === undefined || parseGoBoolean(annotation) !== true) return;
      yield {
        span: response.span,
        message: "expected no answer from a policy in dry-run, found one, which nobody is given",
      };
    },
  },
  {
    code: "lint/no-extension",
    about: "policy",
    *find({ family, head, rules }) {
      if (family !== "garita" || rules.some(({ extension }) => extension !== undefined)) return;
      yield {
        span: head.apiVersion.span,
        message: `expected \`cel\`, \`denyResponse\` or \`allowResponse\` in a policy of ${quote(head.apiVersion.value)}, found none of them`,
        help: "as `security.istio.io/v1` it means the same, and Istio understands it",
      };
    },
  },
];
