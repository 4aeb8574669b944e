import { encodeBase64Url } from "#identity/encoding/base64url";
import { bytesOf } from "#identity/encoding/byte-string";
import type { ParsedToken, TokenClaims } from "#identity/token/token";
import type { ByteString } from "#policy-compiler/ruleset/model";
import { claimJson } from "./claim-json.ts";
import { claimNumberText } from "./number-text.ts";
import type { PreparedProvider } from "./provider.ts";

/** The headers that a good token makes. ORDER: the payload, then the claims as the rule lists them. Envoy: authenticator.cc. */
export function outputsOf(
  provider: PreparedProvider,
  token: ParsedToken,
): readonly (readonly [name: ByteString, value: ByteString])[] {
  const outputs: [name: ByteString, value: ByteString][] = [];
  if (provider.payloadHeader !== undefined) outputs.push([provider.payloadHeader, token.payloadSegment]);
  for (const { header, path } of provider.claimOutputs) {
    const value = claimText(claimAt(token.claims, path));
    if (value !== "") outputs.push([header, value]);
  }
  return outputs;
}

/** Steps through objects alone; a list or a text on the way is a missing claim. */
function claimAt(claims: TokenClaims, path: readonly ByteString[]): unknown {
  let value: unknown = claims;
  for (const name of path) {
    if (typeof value !== "object" || value === null || Array.isArray(value) || !Object.hasOwn(value, name))
      return undefined;
    value = (value as TokenClaims)[name];
  }
  return value;
}

/** `""`: no header. Objects and lists are Base64 of their JSON, with padding. */
function claimText(value: unknown): ByteString {
  if (typeof value === "string") return value;
  if (typeof value === "number") return claimNumberText(value);
  if (typeof value === "boolean") return value ? "true" : "false";
  return typeof value === "object" && value !== null ? base64(claimJson(value)) : "";
}

/** RFC 4648 §4. */
function base64(bytes: ByteString): ByteString {
  const text = encodeBase64Url(bytesOf(bytes)).replaceAll("-", "+").replaceAll("_", "/");
  return text.padEnd(Math.ceil(text.length / 4) * 4, "=");
}
