import { OUR_PREFIX } from "#authz/check/attributes/call-metadata";
import { sanitizeUtf8 } from "#authz/check/attributes/sanitize-utf8";
import type { ByteString } from "#policy-compiler/ruleset/model";
import type { ProviderQuestion } from "./contract.ts";

/** The HTTP half of a question. */
export type AskedHttp = NonNullable<ProviderQuestion["http"]>;

/** Envoy says so, `true` or `false`, with a body that it sends. */
export const PARTIAL_BODY = "x-envoy-auth-partial-body";

/** The first line of a header as the stages before have left it; pseudo headers by their names. */
export function firstLine(http: AskedHttp, name: ByteString): ByteString | undefined {
  if (name.startsWith(OUR_PREFIX)) return undefined;
  switch (name) {
    case ":path":
      return http.request.target;
    case ":authority":
    case "host":
      return http.request.lines(":authority")[0] ?? http.authority;
    case ":method":
      return http.request.lines(name)[0] ?? http.method;
    case ":scheme":
      return http.request.lines(name)[0] ?? http.scheme;
    default:
      return http.request.lines(name)[0];
  }
}

/**
 * The headers of a request as Envoy's CheckRequest has them without raw headers, and as an HTTP provider is sent them: one value a name, lines
 * joined by a bare comma, bytes that are not UTF-8 replaced by `!`. Pseudo headers included; the client's `x-envoy-auth-partial-body` is not,
 * nor is any `x-garita-*`: that is what the asking Envoy tells Garita, its secret included.
 */
export function askedHeaders(http: AskedHttp): Map<ByteString, ByteString> {
  const headers = new Map<ByteString, ByteString>();
  const { request } = http;
  const names = new Set([...http.headerNames, ...[...request.headerEdits()].map(([name]) => name)]);
  for (const name of names) {
    if (name.startsWith(":") || name === PARTIAL_BODY || name.startsWith(OUR_PREFIX)) continue;
    const lines = request.lines(name);
    if (lines.length > 0) headers.set(name, sanitizeUtf8(lines.join(",")));
  }
  for (const name of [":authority", ":method", ":path", ":scheme"]) {
    const value = firstLine(http, name);
    if (value !== undefined && value !== "") headers.set(name, sanitizeUtf8(value));
  }
  return headers;
}
