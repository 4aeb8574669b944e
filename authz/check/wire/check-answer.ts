import type { ByteString } from "#policy-compiler/ruleset/model";

/** The gRPC code of a denial that has no other. */
export const PERMISSION_DENIED = 7;

/** `add`: a further line of a name that an earlier entry has set, or that is there. */
export interface HeaderEdit {
  readonly name: string;
  readonly value: ByteString;
  readonly add?: boolean;
  /** Response headers only: where the upstream's answer has no header of the name, or where it has one. Such a name stands there once. */
  readonly onlyIf?: "absent" | "present";
}

/** What Envoy is told in a CheckResponse. The encoder gives every header explicit `append`, `append_action` and `keep_empty_value`. */
export interface CheckAnswer {
  readonly allowed: boolean;
  /** `status.code` of a denial: a gRPC code, never 0 (7 PERMISSION_DENIED, 16 UNAUTHENTICATED, …). */
  readonly code: number;
  /** Denied: status, body and headers that the client gets. Ignored on TCP and when allowed. */
  readonly httpStatus: number;
  readonly body: string;
  readonly clientHeaders: readonly HeaderEdit[];
  /** Allowed: edits of the request. A name is never in both lists. */
  readonly setHeaders: readonly HeaderEdit[];
  readonly removeHeaders: readonly string[];
  /** Allowed: headers that the client gets with the upstream's answer. */
  readonly responseHeaders: readonly HeaderEdit[];
  /** Published under `envoy.filters.http.ext_authz`: strings, in this order. Empty: none. */
  readonly metadata: readonly (readonly [key: string, value: string])[];
}
