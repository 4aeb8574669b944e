import { utf8Text } from "#identity/encoding/byte-string";
import { quote } from "#identity/encoding/quote";
import type { ParsedToken } from "#identity/token/token";
import type { TokenIssuer } from "./token-issuers.ts";

/** So many audiences of a token are told; an operator needs no more to see whom it was made for. */
const mostShown = 4;

/**
 * What speaks against the claims of a token of this issuer now (RFC 7519 §4.1), in words; undefined: nothing. `aud` must hold one of the issuer's audiences, byte
 * by byte. `exp` must be there and in the future, without leeway: that is what Kubernetes' TokenReview and Go's OpenID library do for Istio, where Envoy lets
 * a minute pass, and here a certificate of a day comes of it. `nbf` and `iat` may be ahead by `leewaySeconds`, for clocks that differ.
 */
export function tokenRefusal(
  { claims, audiences, expiresAt, notBefore }: ParsedToken,
  issuer: TokenIssuer,
  nowMillis: number,
  leewaySeconds: number,
): string | undefined {
  if (!audiences.some((audience) => issuer.audiences.has(audience))) {
    return `it is for ${audienceText(audiences)}, and not for ${audienceText([...issuer.audiences])}`;
  }
  if (expiresAt === 0) return "it has no `exp`";
  const nowSeconds = nowMillis / 1000;
  // Written so that a time that is no number is no good either.
  if (!(nowSeconds < expiresAt)) return `it has ended: \`exp\` is ${expiresAt}, now is ${Math.floor(nowSeconds)}`;
  const latest = nowSeconds + leewaySeconds;
  if (notBefore > latest) return `it is not valid yet: \`nbf\` is ${notBefore}, now is ${Math.floor(nowSeconds)}`;
  // The parser took nothing but a number.
  const issuedAt = typeof claims["iat"] === "number" ? claims["iat"] : 0;
  if (issuedAt > latest) return `it is of the future: \`iat\` is ${issuedAt}, now is ${Math.floor(nowSeconds)}`;
  return undefined;
}

function audienceText(audiences: readonly string[]): string {
  if (audiences.length === 0) return "no audience";
  const shown = audiences.slice(0, mostShown).map((audience) => quote(utf8Text(audience)));
  return audiences.length > mostShown
    ? `${shown.join(", ")} and ${audiences.length - mostShown} more`
    : shown.join(", ");
}
