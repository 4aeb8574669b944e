import type { ByteString } from "#policy-compiler/ruleset/model";
import type { RequestAttributes } from "../attributes.ts";
import type { RuleRef } from "../decision.ts";
import type { RuleTable } from "../rule-table.ts";
import type { PreparedView } from "../view.ts";
import { AskedRequest } from "./asked-request.ts";
import type { PreparedFields, PreparedValue } from "./compile-expressions.ts";
import type { ConditionFaultCode } from "./fault-codes.ts";

/** A value of an answer as it came out, or why it did not. */
export type RespondedValue =
  | { readonly value: ByteString; readonly fault?: undefined }
  | { readonly value?: undefined; readonly fault: ConditionFaultCode };
/** Names are lower case (those of `dynamicMetadata` as written), in the author's order. */
export type RespondedFields = readonly (readonly [name: string, value: RespondedValue])[];

/** What a rule adds to the answer, for one request. */
export type RuleResponse =
  | {
      readonly kind: "deny";
      /** Undefined: Istio's. */
      readonly status: number | undefined;
      readonly headers: RespondedFields;
      /** Undefined: Istio's. */
      readonly body: RespondedValue | undefined;
    }
  | {
      readonly kind: "allow";
      readonly requestHeaders: RespondedFields;
      readonly responseHeaders: RespondedFields;
      readonly dynamicMetadata: RespondedFields;
    };

/** The answer of the rule that decided. A connection has none, and a rule that does not answer by itself. */
export function respond(
  table: RuleTable,
  view: PreparedView,
  { id }: RuleRef,
  request: RequestAttributes,
): RuleResponse | undefined {
  const response = table.response(id);
  if (response === undefined || request.http === undefined) return undefined;
  const asked = new AskedRequest(request, view.workload, "policies");
  const of = (value: PreparedValue) => evaluated(value, asked);
  const all = (fields: PreparedFields): RespondedFields => fields.map(([name, value]) => [name, of(value)]);
  if (response.kind === "deny") {
    const { status, headers, body } = response;
    return { kind: "deny", status, headers: all(headers), body: body && of(body) };
  }
  const { requestHeaders, responseHeaders, dynamicMetadata } = response;
  return {
    kind: "allow",
    requestHeaders: all(requestHeaders),
    responseHeaders: all(responseHeaders),
    dynamicMetadata: all(dynamicMetadata),
  };
}

function evaluated(prepared: PreparedValue, asked: AskedRequest): RespondedValue {
  if (prepared.kind === "text") return { value: prepared.text };
  const one = prepared.value.evaluate(asked.facts);
  return one.value === undefined ? { fault: one.fault.code } : { value: one.value };
}
