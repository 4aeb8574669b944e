import type { CheckHttp } from "#authz/check/wire/check-request";
import type { ByteString } from "#policy-compiler/ruleset/model";

/**
 * The request target as Envoy received it. The message's `path` is text, in which Envoy has put `!` for every byte that is not
 * UTF-8; where it sent header lines raw, `:path` has the bytes, and they are what the upstream would get.
 */
export function receivedTarget(http: CheckHttp): ByteString {
  return (http.raw ? http.headerLines(":path")[0] : undefined) ?? http.path;
}
