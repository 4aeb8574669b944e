import { sanitizeUtf8 } from "#authz/check/attributes/sanitize-utf8";
import type { AskedBody } from "#authz/custom/asked-body";
import { type AskedHttp, askedHeaders, firstLine, PARTIAL_BODY } from "#authz/custom/asked-headers";
import type { ByteString } from "#policy-compiler/ruleset/model";
import type { FormatPiece } from "#policy-compiler/ruleset/providers/header-format";
import { matchesHeader } from "#policy-compiler/ruleset/providers/header-pattern";
import type { HttpOptions } from "#policy-compiler/ruleset/providers/options";

/** A request to an HTTP provider as it goes over the wire. */
export interface HttpCheckQuestion {
  readonly method: ByteString;
  readonly path: ByteString;
  /** `host` and `content-length` included; each name once, in lower case. */
  readonly headers: ReadonlyMap<string, ByteString>;
  readonly body: Uint8Array | undefined;
}

/** Headers that frame a message or belong to one connection: of the client's, not of this request. */
const framing: ReadonlySet<string> = new Set([
  "connection",
  "content-length",
  "expect",
  "host",
  "keep-alive",
  "proxy-connection",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

/**
 * What Envoy's HTTP client sends for a check (`RawHttpClientImpl::check`): the request's method, the prefix with its path, host, a
 * content-length, `authorization`, the headers that the options let pass, then those that they add in place of the client's.
 */
export function httpCheckQuestion(
  http: AskedHttp,
  options: HttpOptions,
  body: Extract<AskedBody, { readonly kind: "none" | "sent" }>,
): HttpCheckQuestion {
  const bytes = body.kind === "sent" && body.bytes.length > 0 ? body.bytes : undefined;
  const asked = askedHeaders(http);
  const headers = new Map<string, ByteString>([
    ["host", asked.get(":authority") ?? ""],
    ["content-length", String(bytes?.length ?? 0)],
  ]);
  for (const [name, value] of asked) {
    if (name.startsWith(":") || framing.has(name)) continue;
    if (name === "authorization" || matchesHeader(options.toCheck, name)) headers.set(name, value);
  }
  if (body.kind === "sent") headers.set(PARTIAL_BODY, String(body.partial));
  for (const { name, value } of options.additional) {
    const formatted = formatHeader(value, http);
    if (formatted !== "" && !framing.has(name)) headers.set(name, formatted);
  }
  return {
    method: asked.get(":method") ?? "",
    path: `${options.pathPrefix}${asked.get(":path") ?? ""}`,
    headers,
    body: bytes,
  };
}

function formatHeader(pieces: readonly FormatPiece[], http: AskedHttp): ByteString {
  return pieces.map((piece) => formatPiece(piece, http)).join("");
}

function formatPiece(piece: FormatPiece, http: AskedHttp): ByteString {
  switch (piece.kind) {
    case "text":
      return piece.text;
    case "protocol":
      return http.protocol;
    case "header": {
      const { name, otherwise, maxLength } = piece;
      const value = firstLine(http, name) ?? (otherwise === undefined ? undefined : firstLine(http, otherwise)) ?? "";
      return sanitizeUtf8(maxLength === undefined ? value : value.slice(0, maxLength));
    }
    default:
      return piece satisfies never;
  }
}
