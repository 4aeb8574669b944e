import type { ConditionFaultCode } from "#authz/engine/conditions/fault-codes";
import type { RespondedFields, RespondedValue, RuleResponse } from "#authz/engine/conditions/respond";
import { type Decision, MOST_FAULTS, type RuleRef } from "#authz/engine/decision";
import { EditedRequest } from "#authz/engine/edited-request";
import type { ByteString } from "#policy-compiler/ruleset/model";
import { isWholeHeaderValue, responseLimits } from "#policy-compiler/ruleset/response-limits";
import { asText } from "../answer.ts";
import type { Progress } from "../progress.ts";
import { ReceivedRequest } from "../received-request.ts";
import { accessDenied } from "../refusal.ts";
import type { ClientHeader, Verdict } from "../verdict.ts";
import type { CheckHttp } from "../wire/check-request.ts";

/** What the rule that decided makes of the verdict. */
export type RuleAnswer = Pick<
  Verdict,
  "decision" | "status" | "body" | "clientHeaders" | "edited" | "metadata" | "detail"
>;

/**
 * The answer of the rule that decided. It was decided already: a denial stays one, whatever its values come to, without those that
 * failed. A request is allowed with everything that its rule adds or not at all: an upstream that takes a header for Garita's word must not get
 * the client's instead, or none.
 */
export function answerByRule(
  decision: Decision,
  rule: RuleRef,
  response: RuleResponse,
  progress: Progress,
  http: CheckHttp,
): RuleAnswer {
  return response.kind === "deny"
    ? deny(decision, rule, response, progress)
    : allow(decision, rule, response, progress, http);
}

function deny(
  decision: Decision,
  rule: RuleRef,
  { status, headers, body }: Extract<RuleResponse, { kind: "deny" }>,
  { attributes, clientHeaders, detail }: Progress,
): RuleAnswer {
  const faults: ConditionFaultCode[] = [];
  const own: ClientHeader[] = [];
  for (const [name, responded] of headers) {
    // Envoy makes the body of a gRPC client's denial its grpc-message; another content type would spoil that.
    if (name === "content-type" && attributes.http?.grpc === true) continue;
    const value = headerValue(responded);
    if (value.fault === undefined) own.push({ name, value: value.value, add: false });
    else faults.push(value.fault);
  }
  const text = body === undefined ? { value: accessDenied.body } : bounded(body, responseLimits.bodyBytes);
  if (text.fault !== undefined) faults.push(text.fault);
  return {
    decision: withFaults(decision, rule, faults),
    status: status ?? accessDenied.status,
    body: text.value ?? "",
    clientHeaders: [...clientHeaders.filter(({ name }) => !own.some((header) => header.name === name)), ...own],
    edited: undefined,
    metadata: [],
    detail,
  };
}

function allow(
  decision: Decision,
  rule: RuleRef,
  { requestHeaders, responseHeaders, dynamicMetadata }: Extract<RuleResponse, { kind: "allow" }>,
  { attributes, edited, clientHeaders, detail }: Progress,
  http: CheckHttp,
): RuleAnswer {
  // A copy: what was decided on stays as it was.
  const request = edited?.copy() ?? new EditedRequest(new ReceivedRequest(http, attributes.http!.target));
  const toClient: ClientHeader[] = [...clientHeaders];
  const metadata: [string, string][] = [];
  const lists: readonly [
    RespondedFields,
    (value: RespondedValue) => RespondedValue,
    (name: string, value: ByteString) => void,
  ][] = [
    [requestHeaders, headerValue, (name, value) => request.set(name, [value])],
    [responseHeaders, headerValue, (name, value) => toClient.push({ name, value, add: false })],
    [
      dynamicMetadata,
      (value) => bounded(value, responseLimits.valueBytes),
      (key, value) => metadata.push([key, asText(value)]),
    ],
  ];
  for (const [fields, fit, add] of lists) {
    for (const [name, responded] of fields) {
      const value = fit(responded);
      if (value.fault !== undefined) {
        return {
          decision: withFaults({ ...decision, outcome: "deny", reason: "answer/no-value" }, rule, [value.fault]),
          ...accessDenied,
          clientHeaders,
          edited: undefined,
          metadata: [],
          detail: `\`${name}\`: ${value.fault}`,
        };
      }
      add(name, value.value);
    }
  }
  return { decision, status: 200, body: "", clientHeaders: toClient, edited: request, metadata, detail };
}

/** An expression may come to no text at all, unlike what an author writes out: a list of no groups. */
function headerValue(responded: RespondedValue): RespondedValue {
  const value = bounded(responded, responseLimits.valueBytes);
  return value.value && !isWholeHeaderValue(value.value) ? { fault: "condition/unfit-value" } : value;
}

function bounded(responded: RespondedValue, mostBytes: number): RespondedValue {
  return responded.value !== undefined && responded.value.length > mostBytes
    ? { fault: "condition/too-large" }
    : responded;
}

function withFaults(decision: Decision, rule: RuleRef, codes: readonly ConditionFaultCode[]): Decision {
  if (codes.length === 0) return decision;
  const faults = [...decision.conditionFaults, ...codes.map((code) => ({ rule, code }))];
  return { ...decision, conditionFaults: faults.slice(0, MOST_FAULTS) };
}
