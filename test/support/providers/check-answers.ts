import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import {
  type CheckResponse,
  CheckResponseSchema,
  DeniedHttpResponseSchema,
  OkHttpResponseSchema,
} from "#platform/envoy-api/gen/envoy/service/auth/v3/external_auth_pb";
import type { StatusCode } from "#platform/envoy-api/gen/envoy/type/v3/http_status_pb";

/** What stands beside the status of a CheckResponse. */
export type Member = CheckResponse["httpResponse"];

/** A CheckResponse in bytes. */
export function answerBytes(code: number, httpResponse: Member): Uint8Array {
  return toBinary(CheckResponseSchema, create(CheckResponseSchema, { status: { code }, httpResponse }));
}

/** Allows, with these edits. */
export const ok = (value: MessageInitShape<typeof OkHttpResponseSchema>): Member => ({
  case: "okResponse",
  value: create(OkHttpResponseSchema, value),
});

/** Denies, with this for the client. */
export const denied = (value: MessageInitShape<typeof DeniedHttpResponseSchema>): Member => ({
  case: "deniedResponse",
  value: create(DeniedHttpResponseSchema, value),
});

/** Says that the provider itself failed, with this for the client. */
export const errorAnswer = (value: MessageInitShape<typeof DeniedHttpResponseSchema>): Member => ({
  case: "errorResponse",
  value: create(DeniedHttpResponseSchema, value),
});

/** A status that Envoy's enumeration need not know. */
export const status = (code: number) => ({ code: code as StatusCode });
