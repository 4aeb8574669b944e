import { quote } from "#identity/encoding/quote";
import { toAsciiLowerCase, toByteString } from "#policy-compiler/ruleset/byte-string";
import { parseDuration } from "#policy-compiler/ruleset/duration";
import { isToken } from "#policy-compiler/ruleset/header-text";
import type { ByteString } from "#policy-compiler/ruleset/model";
import { type FormatPiece, parseHeaderFormat } from "./header-format.ts";
import { type HeaderPattern, parseHeaderPattern } from "./header-pattern.ts";
import { isPathPrefix } from "./path-prefix.ts";
import { parseServiceName, type ServiceName } from "./service-name.ts";
import { envoyStatusCodes } from "./status-codes.ts";

/** The options of an ext_authz provider (MeshConfig `extensionProviders`), read once. */
export interface ProviderOptions {
  readonly service: ServiceName;
  readonly port: number;
  /** Undefined: `0s`, no limit. */
  readonly timeoutMillis: number | undefined;
  readonly failOpen: boolean;
  readonly statusOnError: number;
  readonly body: BodyOptions | undefined;
  /** Of an HTTP provider. */
  readonly http: HttpOptions | undefined;
}

export interface BodyOptions {
  readonly maxBytes: number;
  readonly allowPartial: boolean;
  readonly asBytes: boolean;
}

export interface HttpOptions {
  readonly pathPrefix: ByteString;
  /** Headers that go along beside those that always do. */
  readonly toCheck: readonly HeaderPattern[];
  /** Headers with values of their own, in byte order of the names as written; names in lower case. */
  readonly additional: readonly { readonly name: string; readonly value: readonly FormatPiece[] }[];
  readonly upstreamOnAllow: readonly HeaderPattern[];
  readonly downstreamOnAllow: readonly HeaderPattern[];
  readonly downstreamOnDeny: readonly HeaderPattern[];
}

/**
 * Why options cannot be used. `istio`: Istio denies every request that would ask; `envoy`: Istio takes them and Envoy refuses the listener;
 * `garita`: both take them, and this program does not know them.
 */
export interface OptionFault {
  readonly refusedBy: "istio" | "envoy" | "garita";
  /** What was expected and what was found; one line. */
  readonly why: string;
}

export type OptionsResult =
  | { readonly ok: true; readonly options: ProviderOptions }
  | ({ readonly ok: false } & OptionFault);

/** Istio's default, in seconds: 600. */
const DEFAULT_TIMEOUT_MILLIS = 600_000;
const DEFAULT_STATUS = 403;
/** Envoy refuses longer ones, about 292 years. */
const MAX_TIMEOUT_MILLIS = 9_223_372_036_000;

type Written = Readonly<Record<string, unknown>>;

/**
 * Reads the options of a provider as Istio's `extauthz.go` and Envoy's validation of the filter it makes do. `written` is the provider's own
 * member by camelCase names, with the types that the decoder left; anything else counts as absent.
 */
export function readProviderOptions(kind: "http" | "grpc", written: Written): OptionsResult {
  const port = written["port"];
  if (typeof port !== "number" || !Number.isInteger(port) || port < 1 || port > 65535)
    return istio(`expected a \`port\` from 1 to 65535, found ${port ?? "none"}`);
  const service = parseServiceName(textOf(written["service"]));
  if (service === undefined)
    return istio(`expected a \`service\` such as \`authz.example.com\`, found ${quote(textOf(written["service"]))}`);
  const status = readStatus(textOf(written["statusOnError"]));
  if (typeof status !== "number") return status;
  const timeout = readTimeout(written["timeout"]);
  if (!timeout.ok) return timeout;
  const body = readBody(written["includeRequestBodyInCheck"]);
  if (!body.ok) return body;
  const http = kind === "http" ? readHttp(written) : { ok: true as const, http: undefined };
  if (!http.ok) return http;
  return {
    ok: true,
    options: {
      service,
      port,
      timeoutMillis: timeout.millis,
      failOpen: written["failOpen"] === true,
      statusOnError: status,
      body: body.body,
      http: http.http,
    },
  };
}

function readStatus(text: string): number | ({ readonly ok: false } & OptionFault) {
  if (text === "") return DEFAULT_STATUS;
  const code = /^[-+]?[0-9]+$/.test(text) ? Number(text) : undefined;
  // Istio's list has 0 too, which Envoy refuses.
  if (code === 0) return envoy("expected a `statusOnError` other than 0");
  if (code === undefined || !envoyStatusCodes.has(code))
    return istio(`expected a \`statusOnError\` that Envoy knows, found ${quote(text)}`);
  return code;
}

function readTimeout(
  written: unknown,
): { readonly ok: true; readonly millis: number | undefined } | ({ readonly ok: false } & OptionFault) {
  if (written === undefined) return { ok: true, millis: DEFAULT_TIMEOUT_MILLIS };
  const parsed = parseDuration(textOf(written));
  if (!parsed.ok) return istio(`expected a \`timeout\` such as \`1.5s\`, found ${quote(textOf(written))}`);
  if (parsed.millis < 0 || (parsed.millis === 0 && !parsed.exact && textOf(written).startsWith("-")))
    return envoy(`expected a \`timeout\` that is not negative, found ${quote(textOf(written))}`);
  if (parsed.millis > MAX_TIMEOUT_MILLIS)
    return envoy(`expected a shorter \`timeout\`, found ${quote(textOf(written))}`);
  return { ok: true, millis: parsed.millis === 0 ? undefined : parsed.millis };
}

function readBody(
  written: unknown,
): { readonly ok: true; readonly body: BodyOptions | undefined } | ({ readonly ok: false } & OptionFault) {
  if (typeof written !== "object" || written === null) return { ok: true, body: undefined };
  const { maxRequestBytes, allowPartialMessage, packAsBytes } = written as Written;
  if (typeof maxRequestBytes !== "number" || maxRequestBytes <= 0)
    return envoy("expected `maxRequestBytes` greater than 0 in `includeRequestBodyInCheck`");
  return {
    ok: true,
    body: { maxBytes: maxRequestBytes, allowPartial: allowPartialMessage === true, asBytes: packAsBytes === true },
  };
}

const patternFields = [
  "includeRequestHeadersInCheck",
  "includeHeadersInCheck",
  "headersToDownstreamOnDeny",
  "headersToDownstreamOnAllow",
  "headersToUpstreamOnAllow",
] as const;

function readHttp(
  written: Written,
): { readonly ok: true; readonly http: HttpOptions } | ({ readonly ok: false } & OptionFault) {
  const pathPrefix = textOf(written["pathPrefix"]);
  if (pathPrefix !== "" && !isPathPrefix(pathPrefix))
    return istio(`expected a \`pathPrefix\` that begins with \`/\` and is part of a URL, found ${quote(pathPrefix)}`);
  for (const field of patternFields)
    if (textsOf(written[field]).includes("*"))
      return istio(`expected a prefix or suffix beside the star in \`${field}\`, found \`*\` alone`);
  const additional = readAdditional(written["includeAdditionalHeadersInCheck"]);
  if (!additional.ok) return additional;
  const patterns = (field: (typeof patternFields)[number]) => textsOf(written[field]).map(parseHeaderPattern);
  const toCheck = patterns("includeRequestHeadersInCheck");
  return {
    ok: true,
    http: {
      pathPrefix: toByteString(pathPrefix),
      // The older option counts where the newer one is empty.
      toCheck: toCheck.length > 0 ? toCheck : patterns("includeHeadersInCheck"),
      additional: additional.headers,
      upstreamOnAllow: patterns("headersToUpstreamOnAllow"),
      downstreamOnAllow: patterns("headersToDownstreamOnAllow"),
      downstreamOnDeny: patterns("headersToDownstreamOnDeny"),
    },
  };
}

function readAdditional(
  written: unknown,
): { readonly ok: true; readonly headers: HttpOptions["additional"] } | ({ readonly ok: false } & OptionFault) {
  const headers: HttpOptions["additional"][number][] = [];
  const entries = typeof written === "object" && written !== null ? Object.entries(written) : [];
  const sorted = entries
    .map(([name, value]) => [name, toByteString(name), toByteString(textOf(value))] as const)
    .toSorted(([, a], [, b]) => (a < b ? -1 : a > b ? 1 : 0));
  for (const [written, name, value] of sorted) {
    const fault = additionalFault(name, value);
    if (fault !== undefined)
      return envoy(`expected ${fault} in \`includeAdditionalHeadersInCheck\`, found ${quote(written)}`);
    if (!isToken(name))
      return garita(`expected names of headers in \`includeAdditionalHeadersInCheck\`, found ${quote(written)}`);
    const parsed = parseHeaderFormat(value);
    if (!parsed.ok && parsed.fault === "syntax")
      return envoy(
        `expected \`%%\` for a \`%\` in the value of ${quote(written)} in \`includeAdditionalHeadersInCheck\``,
      );
    if (!parsed.ok)
      return garita(
        `expected no other command than \`%REQ(…)%\` and \`%PROTOCOL%\` in the value of ${quote(written)} in \`includeAdditionalHeadersInCheck\``,
      );
    headers.push({ name: toAsciiLowerCase(name), value: parsed.pieces });
  }
  return { ok: true, headers };
}

/** What Envoy demands of a header to add (`HeaderParser::configure`, `HeaderValue` in base.proto). */
function additionalFault(name: ByteString, value: ByteString): string | undefined {
  if (name === "" || name.startsWith(":") || toAsciiLowerCase(name) === "host")
    return "no name beginning with `:`, nor `host`";
  if (/[\0\r\n]/.test(name) || /[\0\r\n]/.test(value) || name.length > 16384 || value.length > 16384)
    return "names and values of one line";
  return undefined;
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function textsOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((each) => typeof each === "string") : [];
}

const istio = (why: string) => ({ ok: false, refusedBy: "istio", why }) as const;
const envoy = (why: string) => ({ ok: false, refusedBy: "envoy", why }) as const;
const garita = (why: string) => ({ ok: false, refusedBy: "garita", why }) as const;
