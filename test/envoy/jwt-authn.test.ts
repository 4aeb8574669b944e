import { test } from "node:test";
import { envoyOrSkip } from "#test/support/envoy/find-envoy";
import { Random, runsFromEnvironment, seedFromEnvironment } from "#test/support/generate/random";
import { compareWithEnvoy } from "#test/support/jwt-authn/compare-with-envoy";
import { generateCases } from "#test/support/jwt-authn/generate";

/**
 * Request authentication against the filters that Istio would have Envoy itself apply: the same generated policies, the same
 * requests with the same tokens, and everything that a client or an application sees of the answer has to be the same.
 */
const tokensPerRun = runsFromEnvironment(5000);
/** So many are asked about within the seconds that their times leave room for. */
const tokensAtOnce = 5000;

test("tokens mean to Garita what they mean to Envoy", async (t) => {
  const binary = await envoyOrSkip(t);
  if (binary === undefined) return;
  const random = new Random(seedFromEnvironment());
  for (let left = tokensPerRun; left > 0; left -= tokensAtOnce) {
    const now = Math.floor(Date.now() / 1000);
    await compareWithEnvoy(binary, generateCases(random, { tokens: Math.min(left, tokensAtOnce), now }));
  }
});
