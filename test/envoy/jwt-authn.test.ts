import { ok } from "node:assert/strict";
import { test } from "node:test";
import { envoyOrSkip } from "#test/support/envoy/find-envoy";
import { compareWithEnvoy } from "#test/support/jwt-authn/compare-with-envoy";
import { corpusCases } from "#test/support/jwt-authn/corpus-cases";
import { generateCases } from "#test/support/jwt-authn/generate";
import { createKeyRing } from "#test/support/jwt-authn/keys";
import { Random, runsFromEnvironment, testSeed } from "#test/support/random";

/**
 * Request authentication against the filters that Istio would have Envoy itself apply: the same generated policies, the same
 * requests with the same tokens, and everything that a client or an application sees of the answer has to be the same.
 */
const tokensPerRun = runsFromEnvironment(5000);
/** So many are asked about within the seconds that their times leave room for. */
const tokensAtOnce = 1250;

test("tokens mean to Garita what they mean to Envoy", async (t) => {
  const binary = await envoyOrSkip(t);
  if (binary === undefined) return;
  const random = new Random(testSeed("tokens"));
  const keys = createKeyRing();
  for (let left = tokensPerRun; left > 0; left -= tokensAtOnce) {
    const now = Math.floor(Date.now() / 1000);
    const cases = generateCases({ random, keys, tokens: Math.min(left, tokensAtOnce), now });
    const part = await compareWithEnvoy(binary, cases);
    ok(part > 1 / 3 && part < 2 / 3, `${part} of the requests came through`);
  }
});

test("every token of the corpus means to Garita what it means to Envoy", async (t) => {
  const binary = await envoyOrSkip(t);
  if (binary === undefined) return;
  const part = await compareWithEnvoy(binary, corpusCases(Math.floor(Date.now() / 1000)));
  ok(part > 0.1, `${part} of the tokens are good`);
});
