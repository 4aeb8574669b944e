import type { TokenClaims } from "#identity/token/token";
import type { ByteString } from "#policy-compiler/ruleset/model";
import type { AcceptToken } from "./contract.ts";
import { outputsOf } from "./outputs.ts";
import { prepareProvider } from "./provider.ts";

/** What follows from a token whose signature was found good: the policies' claims and the headers for the upstream. Cost: linear in the token. */
export const acceptToken: AcceptToken = ({ provider, token }) => {
  const prepared = prepareProvider(provider);
  return {
    token,
    claims: delimit(token.claims, prepared.spaceDelimitedClaims),
    outputs: outputsOf(prepared, token),
  };
};

/** Texts of the root become lists of their words; one without a word stays what it is. Envoy: jwt_authn, authenticator.cc. */
function delimit(claims: TokenClaims, names: readonly ByteString[]): TokenClaims {
  const lists: Record<ByteString, readonly ByteString[]> = Object.create(null);
  let found = false;
  for (const name of names) {
    const value = Object.hasOwn(claims, name) ? claims[name] : undefined;
    if (typeof value !== "string") continue;
    const words = value.split(" ").filter((word) => word !== "");
    if (words.length === 0) continue;
    lists[name] = words;
    found = true;
  }
  return found ? Object.assign(Object.create(null), claims, lists) : claims;
}
