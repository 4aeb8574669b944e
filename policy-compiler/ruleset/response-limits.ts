import { toByteString } from "./byte-string.ts";
import { isHeaderValue, isToken } from "./header-text.ts";
import { envoyStatusCodes } from "./providers/status-codes.ts";

/** Bounds of what a rule may answer. Values that an expression makes keep to them too, when they are made. */
export const responseLimits = {
  /** Headers or members of metadata in one list. */
  fields: 32,
  /** Bytes of the name of a header or a member. */
  nameBytes: 256,
  /** Bytes of the value of a header or a member. */
  valueBytes: 4_096,
  /** Bytes of a body. */
  bodyBytes: 65_536,
} as const;

/** Those that send a client elsewhere (RFC 9110 §15.4): they need a `location`. */
export const redirectStatusCodes: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/** What a denial may be answered: a redirect, or a failure that Envoy knows. */
export function isDenialStatus(status: number): boolean {
  return redirectStatusCodes.has(status) || (status >= 400 && status <= 599 && envoyStatusCodes.has(status));
}

/** Members of the metadata of every answer, which no rule may take. */
export const ownMetadataKeys: readonly string[] = ["decision_id", "outcome", "rule", "reason", "digest", "commit"];

/** Where headers of an answer go. */
export type HeaderPlace = "denial" | "request" | "response";

/** Of the connection (RFC 9110 §7.6.1), of the message's frame, and the target: never a policy's. */
const refusedEverywhere: ReadonlySet<string> = new Set([
  "connection",
  "content-encoding",
  "content-length",
  "host",
  "keep-alive",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

/** Ours, and Envoy's own. */
const refusedPrefixes = ["x-garita-", "x-envoy-"] as const;

export type HeaderNameFault = "pseudo" | "characters" | "refused" | "body";

/** Why a policy cannot set a header, case aside; undefined: it can (RFC 9110 §5.1). */
export function headerNameFault(name: string, place: HeaderPlace): HeaderNameFault | undefined {
  if (name.startsWith(":")) return "pseudo";
  if (!isToken(name)) return "characters";
  const lower = name.toLowerCase();
  if (refusedEverywhere.has(lower) || refusedPrefixes.some((prefix) => lower.startsWith(prefix))) return "refused";
  // Only a denial brings a body of its own.
  return lower === "content-type" && place !== "denial" ? "body" : undefined;
}

/** Can a policy have a header say this text, in UTF-8: a value (RFC 9110 §5.5) that is not empty and has no blanks at its ends, which recipients take away? */
export function isWholeHeaderValue(value: string): boolean {
  return isHeaderValue(toByteString(value)) && value !== "" && !/^[ \t]|[ \t]$/.test(value);
}
