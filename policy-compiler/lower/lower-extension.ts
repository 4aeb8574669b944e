import type {
  AllowResponseDocument,
  DenyResponseDocument,
  ExpressionDocument,
  ExtensionDocument,
  ResponseFieldDocument,
  ResponseValueDocument,
} from "#policy-compiler/document/model";
import { toByteString } from "#policy-compiler/ruleset/byte-string";
import type {
  AllowResponse,
  DenyResponse,
  Expression,
  ResponseFields,
  ResponseValue,
  RuleExtension,
} from "#policy-compiler/ruleset/model";
import type { LowerContext } from "./context.ts";

/**
 * What a rule of our own group says beyond Istio's. Conditions count on TCP as they do on HTTP, where what they ask of a request is
 * unknown, so that nothing of them is degraded here. Undefined: nothing is said. That conditions were begun and not written is a
 * finding, should validation have let it pass.
 */
export function lowerExtension(
  { cel, denyResponse, allowResponse }: ExtensionDocument,
  file: string,
  context: LowerContext,
): RuleExtension | undefined {
  const place: Place = (offset) => context.locate(file, offset);
  if (cel?.expressions.every(({ text }) => text === "")) {
    const message = "expected an expression in `cel`, found none, and the rule would match more";
    context.report({ code: "lowering/value-not-compiled", message, file, span: cel.span });
  }
  const conditions = (cel?.expressions ?? []).map((expression) => lowerExpression(expression, place));
  if (conditions.length === 0 && denyResponse === undefined && allowResponse === undefined) return undefined;
  return {
    conditions,
    denyResponse: denyResponse && lowerDenyResponse(denyResponse, place),
    allowResponse: allowResponse && lowerAllowResponse(allowResponse, place),
  };
}

type Place = (offset: number) => Expression["origin"];

function lowerExpression({ text, span }: ExpressionDocument, place: Place): Expression {
  return { text, origin: place(span.start) };
}

function lowerDenyResponse({ status, headers, body }: DenyResponseDocument, place: Place): DenyResponse {
  return {
    status: status?.value,
    headers: lowerHeaders(headers, place),
    body: body && lowerValue(body, place),
  };
}

function lowerAllowResponse(written: AllowResponseDocument, place: Place): AllowResponse {
  return {
    requestHeaders: lowerHeaders(written.requestHeaders, place),
    responseHeaders: lowerHeaders(written.responseHeaders, place),
    dynamicMetadata: written.dynamicMetadata.map(({ name, value }) => [name.value, lowerValue(value, place)]),
  };
}

function lowerHeaders(fields: readonly ResponseFieldDocument[], place: Place): ResponseFields {
  return fields.map(({ name, value }) => [name.value.toLowerCase(), lowerValue(value, place)]);
}

function lowerValue(value: ResponseValueDocument, place: Place): ResponseValue {
  return value.kind === "text"
    ? { kind: "text", text: toByteString(value.text.value) }
    : { kind: "cel", expression: lowerExpression(value.expression, place) };
}
