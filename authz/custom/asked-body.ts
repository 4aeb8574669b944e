import type { BodyOptions } from "#policy-compiler/ruleset/providers/options";
import { type AskedHttp, firstLine, PARTIAL_BODY } from "./asked-headers.ts";

/**
 * Metadata of a call (HTTP service: a header that Envoy adds) that says that bodies are sent: a request of which none came then has none, and
 * `body` of the question is empty, not undefined.
 */
export const BODIES_TOLD = "x-garita-body";

/** What a provider is told of a request's body. */
export type AskedBody =
  /** Nothing: it does not want it, or there is none. */
  | { readonly kind: "none" }
  | { readonly kind: "sent"; readonly bytes: Uint8Array; readonly partial: boolean }
  /** More than the provider takes: Envoy answers 413, whatever the options say of failures. */
  | { readonly kind: "tooLarge" }
  /** The provider wants it, and the asking Envoy was not told to send it. */
  | { readonly kind: "unsent" };

/**
 * The body for a provider with these options, as Envoy's filter would have buffered it (`Filter::decodeHeaders`, `isBufferFull`): whole up to
 * `maxBytes`, beyond that cut if the provider takes partial ones. What the asking Envoy has cut already cannot be made whole.
 */
export function askedBody(http: AskedHttp, options: BodyOptions | undefined): AskedBody {
  if (options === undefined) return { kind: "none" };
  const { body } = http;
  if (body === undefined) return mayHaveBody(http) ? { kind: "unsent" } : { kind: "none" };
  // Envoy marks every body that it sends; where there was none there is no mark.
  if (body.length === 0 && http.request.lines(PARTIAL_BODY).length === 0) return { kind: "none" };
  const cut = http.bodyIsPartial || body.length > options.maxBytes;
  if (cut && !options.allowPartial) return { kind: "tooLarge" };
  return { kind: "sent", bytes: body.subarray(0, options.maxBytes), partial: cut };
}

/** Methods whose requests seldom have a body. */
const bodiless: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS", "TRACE", "DELETE", "CONNECT"]);

/**
 * Envoy tells nothing of the framing of a request: without a content-length, a method that usually comes with a body is taken to have one.
 * Upgrades to WebSocket are not buffered.
 */
function mayHaveBody(http: AskedHttp): boolean {
  if (http.request.lines("upgrade")[0]?.toLowerCase() === "websocket") return false;
  const length = http.request.lines("content-length")[0];
  if (length !== undefined) return !/^0+$/.test(length);
  return !bodiless.has(firstLine(http, ":method") ?? "");
}
