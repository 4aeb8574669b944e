import type { TokenFault } from "#identity/token/token";
import { isHeaderValue } from "#policy-compiler/ruleset/header-text";
import type { ByteString } from "#policy-compiler/ruleset/model";
import type { AuthenticationInput } from "./contract.ts";

const longestPath = 256;
const originalPath = "x-envoy-original-path";

/**
 * Value of `www-authenticate` (RFC 6750 §3) in Envoy's form: the realm is the URL, its path and query cut at 256 bytes, nothing in it
 * escaped, and what no header may have left out. A path that an earlier proxy says was asked for stands in place of the present one. Envoy: jwt_authn, filter.cc; common/http,
 * utility.cc.
 *
 * `request` is the one that came to this stage, `outputHeaders` what was then taken from it.
 */
export function challenge(
  fault: TokenFault,
  { scheme, authority, request }: Pick<AuthenticationInput, "scheme" | "authority" | "request">,
  outputHeaders: readonly ByteString[],
): ByteString {
  const asked = outputHeaders.includes(originalPath) ? [] : request.lines(originalPath);
  const path = asked.length > 0 ? asked.join(",") : request.target;
  const error = fault === "missing" ? "" : ', error="invalid_token"';
  const value = `Bearer realm="${scheme}://${authority}${path.slice(0, longestPath)}"${error}`;
  return isHeaderValue(value) ? value : [...value].filter(isHeaderValue).join("");
}
