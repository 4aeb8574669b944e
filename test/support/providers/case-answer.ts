import { create, toBinary } from "@bufbuild/protobuf";
import {
  HeaderValueOption_HeaderAppendAction,
  HeaderValueOptionSchema,
} from "#platform/envoy-api/gen/envoy/config/core/v3/base_pb";
import {
  CheckResponseSchema,
  DeniedHttpResponseSchema,
  OkHttpResponseSchema,
} from "#platform/envoy-api/gen/envoy/service/auth/v3/external_auth_pb";
import { HttpStatusSchema, type StatusCode } from "#platform/envoy-api/gen/envoy/type/v3/http_status_pb";

/** `providers.<name>` of a case: how one provider answers. Absent fields have the values that are named. */
export interface CaseProviderAnswer {
  /** gRPC: 200 is an `ok_response`, 0 a `denied_response` without a status, any other a `denied_response` with it. (200) */
  readonly status?: number;
  /** The third item is the `append_action`. */
  readonly headers?: readonly (readonly [name: string, value: string, action?: string])[];
  readonly body?: string;
  /** gRPC: `status.code`. (0 with status 200, else 7) */
  readonly code?: number;
  /** gRPC: the member of `http_response`, whatever `status` says. */
  readonly form?: "ok" | "denied" | "none";
  readonly remove?: readonly string[];
  readonly setQuery?: readonly (readonly [name: string, value: string])[];
  readonly removeQuery?: readonly string[];
  /** gRPC: the call ends with this status and no message. */
  readonly rpcError?: number;
  /** HTTP: the connection is closed without a response. gRPC: the call ends with UNAVAILABLE. */
  readonly reset?: boolean;
  /** Seconds before the answer. */
  readonly hang?: number;
}

/** The bytes of the CheckResponse that a gRPC provider gives for an answer. */
export function checkResponseOf(answer: CaseProviderAnswer): Buffer {
  const { status = 200, headers = [], body = "", remove = [], setQuery = [], removeQuery = [] } = answer;
  const form = answer.form ?? (status === 200 ? "ok" : "denied");
  const options = headers.map(([key, value, action]) =>
    create(HeaderValueOptionSchema, {
      header: { key, value },
      ...(action === undefined ? {} : { appendAction: actions[action as keyof typeof actions] }),
    }),
  );
  const response = create(CheckResponseSchema, { status: { code: answer.code ?? (status === 200 ? 0 : 7) } });
  if (form === "ok") {
    const value = create(OkHttpResponseSchema, {
      headers: options,
      headersToRemove: [...remove],
      queryParametersToSet: setQuery.map(([key, value]) => ({ key, value })),
      queryParametersToRemove: [...removeQuery],
    });
    response.httpResponse = { case: "okResponse", value };
  } else if (form === "denied") {
    const value = create(DeniedHttpResponseSchema, { headers: options, body });
    if (status !== 0) value.status = create(HttpStatusSchema, { code: status as StatusCode });
    response.httpResponse = { case: "deniedResponse", value };
  }
  return Buffer.from(toBinary(CheckResponseSchema, response));
}

const actions = {
  APPEND_IF_EXISTS_OR_ADD: HeaderValueOption_HeaderAppendAction.APPEND_IF_EXISTS_OR_ADD,
  ADD_IF_ABSENT: HeaderValueOption_HeaderAppendAction.ADD_IF_ABSENT,
  OVERWRITE_IF_EXISTS_OR_ADD: HeaderValueOption_HeaderAppendAction.OVERWRITE_IF_EXISTS_OR_ADD,
  OVERWRITE_IF_EXISTS: HeaderValueOption_HeaderAppendAction.OVERWRITE_IF_EXISTS,
} as const;
