import { readKeySet } from "#identity/key-set/read-key-set";
import { parseToken } from "#identity/token/parse";
import { tokenFaults } from "#identity/token/token";
import type { AlgorithmFit, VerifyToken } from "#identity/token/verification";
import type { CorpusToken } from "./corpus.ts";

/** Ours for a set without a key: it is known before there is a token. */
export const NO_KEYS = "no keys";

/** Envoy's, fixed by Istio. */
const SKEW_SECONDS = 60;

/** What we say of a token: the reason why not, in Envoy's words; "" when it is good, `NO_KEYS` when the set gives no key. */
export function ourVerdicts(verify: VerifyToken, fit: AlgorithmFit): (one: CorpusToken) => Promise<string> {
  const sets = new Map<string, ReturnType<typeof readKeySet>>();
  let version = 0;
  return async ({ token, jwks }) => {
    const set = sets.get(jwks) ?? readKeySet(jwks);
    sets.set(jwks, set);
    const parsed = parseToken(token);
    if (!parsed.ok) return tokenFaults[parsed.fault].text;
    const now = Math.floor(Date.now() / 1000);
    if (now + SKEW_SECONDS < parsed.token.notBefore) return tokenFaults.notYetValid.text;
    if (parsed.token.expiresAt !== 0 && now > parsed.token.expiresAt + SKEW_SECONDS) return tokenFaults.expired.text;
    if (!set.ok) return NO_KEYS;
    const verified = await verify(parsed.token, { version: ++version, keys: set.keys }, fit);
    return verified.ok ? "" : tokenFaults[verified.fault].text;
  };
}
