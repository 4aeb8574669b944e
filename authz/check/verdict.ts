import type { CheckAttributes } from "#authz/check/attributes/check-attributes";
import type { Workload } from "#authz/engine/attributes";
import type { Decision, RuleRef } from "#authz/engine/decision";
import type { EditedRequest } from "#authz/engine/edited-request";
import type { ByteString, Origin } from "#policy-compiler/ruleset/model";
import type { FailedOpen, RequestLine } from "./contract.ts";
import { type Refusal, refusedDecision } from "./refusal.ts";

/**
 * A header that the client is to get; `add`: beside what the upstream's answer has of that name; `onlyIf`: where that has none, or only where
 * it has one. Names in lower case.
 */
export interface ClientHeader {
  readonly name: ByteString;
  readonly value: ByteString;
  readonly add: boolean;
  readonly onlyIf?: "absent" | "present";
}

/** What is to be answered and recorded. Knows nothing of the wire. */
export interface Verdict {
  readonly decision: Decision;
  /** HTTP status that the client is meant to see: 200 when allowed. */
  readonly status: number;
  readonly body: ByteString;
  readonly isHttp: boolean;
  /** With a denial; or, when allowed, with the upstream's answer. */
  readonly clientHeaders: readonly ClientHeader[];
  /** Allowed, and stages have edited the request: what its headers are to become. */
  readonly edited: EditedRequest | undefined;
  /** Allowed, and the target that was decided on is not the one received: what `:path` is to be. */
  readonly newTarget: ByteString | undefined;
  /** The rule that decided says what the answer is to be: it is not like that of other requests. */
  readonly answeredByRule: boolean;
  /** Dynamic metadata that the rule adds to ours: text. Allowed requests only. */
  readonly metadata: readonly (readonly [key: string, value: string])[];
  readonly workload: Workload | undefined;
  readonly attributes: CheckAttributes | undefined;
  /** Where attributes could not be made, for want of a workload: what was asked. */
  readonly requestLine: RequestLine | undefined;
  readonly custom: RuleRef | undefined;
  readonly detail: string | undefined;
  /** Allowed requests only. */
  readonly failedOpen: FailedOpen | undefined;
  /** Where what refused was written, if that is a document without rules. */
  readonly origin: Origin | undefined;
}

/** What was known when a stage answered. */
export interface Found {
  readonly workload?: Workload;
  readonly attributes?: CheckAttributes;
  readonly requestLine?: RequestLine;
  readonly custom?: RuleRef;
  readonly clientHeaders?: readonly ClientHeader[];
  readonly conditionFaults?: Decision["conditionFaults"];
}

/** No header edits; one list for all, because most verdicts have none. */
export const noHeaders: readonly never[] = Object.freeze([]);

/** A verdict without policies. */
export function refuse(isHttp: boolean, { reason, reply, detail, origin }: Refusal, found: Found = {}): Verdict {
  return {
    decision: refusedDecision(reason, found.custom, found.conditionFaults),
    status: reply.status,
    body: reply.body,
    isHttp,
    clientHeaders: found.clientHeaders ?? noHeaders,
    edited: undefined,
    newTarget: undefined,
    answeredByRule: false,
    metadata: noHeaders,
    workload: found.workload,
    attributes: found.attributes,
    requestLine: found.requestLine,
    custom: found.custom,
    detail,
    failedOpen: undefined,
    origin,
  };
}
