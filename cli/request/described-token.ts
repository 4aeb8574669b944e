import { acceptToken } from "#authz/authenticate/accept";
import type { TokenVerification } from "#authz/check/contract";
import { parseToken } from "#identity/token/parse";
import type { HttpDescription } from "./description.ts";

/** Stands for the described token in header lines and paths. */
const TOKEN_MARK = "<token>";

/** No issuer signs so: it is as long as no signature is. */
const DESCRIBED_SIGNATURE = Buffer.from("described, not signed").toString("base64url");

/** A token that says what was described, and that nothing but `withDescribedTokens` takes for signed. */
function describedToken(claims: Readonly<Record<string, unknown>>): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  return `${part({ alg: "RS256" })}.${part(claims)}.${DESCRIBED_SIGNATURE}`;
}

/** The request with its caller's token: where `<token>` stands, or else as a bearer token. */
export function withDescribedToken(
  http: HttpDescription,
  claims: Readonly<Record<string, unknown>> | undefined,
): HttpDescription {
  if (claims === undefined) return http;
  const token = describedToken(claims);
  const { headers = [], path } = http;
  const marked = headers.some((line) => line.includes(TOKEN_MARK)) || path?.includes(TOKEN_MARK) === true;
  const filled = headers.map((line) => line.replaceAll(TOKEN_MARK, token));
  return {
    ...http,
    ...(path === undefined ? {} : { path: path.replaceAll(TOKEN_MARK, token) }),
    headers: marked ? filled : [...filled, `authorization: Bearer ${token}`],
  };
}

/**
 * Takes described tokens for signed, so that everything else about them is looked at: issuer, audience, times, place. For descriptions
 * alone: whoever can describe a request learns what a token would do, and lets nothing pass.
 */
export function withDescribedTokens(tokens: TokenVerification): TokenVerification {
  return {
    maxTokenBytes: Math.max(tokens.maxTokenBytes, 64 * 1024),
    known(text, provider, keySets) {
      if (!text.endsWith(`.${DESCRIBED_SIGNATURE}`)) return tokens.known(text, provider, keySets);
      const parsed = parseToken(text);
      return parsed.ok ? { ok: true, accepted: acceptToken({ provider, token: parsed.token }) } : undefined;
    },
    verify: (unverified, keySets) => tokens.verify(unverified, keySets),
  };
}
