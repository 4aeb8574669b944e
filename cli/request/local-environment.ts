import { acceptToken } from "#authz/authenticate/accept";
import { keySourcesOf } from "#authz/check/tokens/key-sources-of";
import { createTokenVerification } from "#authz/check/tokens/verification";
import { VerifiedTokens } from "#authz/check/tokens/verified-tokens";
import type { Engine } from "#authz/engine/contract";
import { createKeySetStore } from "#identity/key-sources/key-set-store";
import { createTokenVerifier } from "#identity/token/verify";
import { systemClock } from "#platform/clock";
import { createSignatureVerifier } from "#platform/signature-verifier";
import { systemTimers } from "#platform/timers";
import { jwtDefaults } from "../config/jwt-defaults.ts";
import type { AskEnvironment } from "./ask.ts";
import { describedProviders } from "./described-providers.ts";
import { withDescribedTokens } from "./described-token.ts";
import type { DescribedAnswer } from "./description.ts";

/**
 * What decides a described request without a service and without the network: rules, the key sets that stand in them, described tokens
 * and described answers of providers. An issuer whose keys would have to be fetched has none.
 */
export async function localEnvironment(
  engine: Engine,
  nowMillis: () => number,
  answers: Readonly<Record<string, DescribedAnswer>> = {},
): Promise<AskEnvironment> {
  const store = createKeySetStore({
    fetchDocument: async () => ({ ok: false, fault: { code: "fetch/offline", message: "nothing is fetched here" } }),
    clock: systemClock,
    timers: systemTimers,
    random: Math.random,
    settings: () => ({
      refreshMillis: jwtDefaults.refreshSeconds * 1000,
      maxStaleMillis: jwtDefaults.maxStaleSeconds * 1000,
    }),
  });
  await store.follow(
    keySourcesOf(engine.ruleSet).filter(({ kind }) => kind === "inline"),
    0,
  );
  const keySets = store.current();
  await store.stop();
  const tokens = createTokenVerification({
    maxTokenBytes: jwtDefaults.maxTokenBytes,
    verifyToken: createTokenVerifier(createSignatureVerifier()),
    acceptToken,
    kept: new VerifiedTokens(jwtDefaults.cache),
    nowMillis,
    algorithmFit: jwtDefaults.algorithmFit,
    missed: () => {},
  });
  return {
    snapshot: { engine, keySets, providers: describedProviders(engine, answers), denyList: undefined },
    nowMillis,
    tokens: withDescribedTokens(tokens),
  };
}
