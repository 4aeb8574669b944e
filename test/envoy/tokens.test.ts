import assert from "node:assert/strict";
import { test } from "node:test";
import { utf8Text } from "#identity/encoding/byte-string";
import { parseToken } from "#identity/token/parse";
import { tokenFaults } from "#identity/token/token";
import { createTokenVerifier } from "#identity/token/verify";
import { createSignatureVerifier } from "#platform/signature-verifier";
import { envoyOrSkip } from "#test/support/envoy/find-envoy";
import { Random, testSeed } from "#test/support/random";
import { tokenCorpus } from "#test/support/tokens/corpus";
import { envoyVerdicts } from "#test/support/tokens/envoy-verdicts";
import { ourVerdicts } from "#test/support/tokens/our-verdict";
import { randomJson } from "#test/support/tokens/random-json";
import { isRefusedByUsAlone, recordedVerdicts } from "#test/support/tokens/recorded-verdicts";
import { hmac, keySetOf, makeTestKeys } from "#test/support/tokens/test-keys";
import { startTokenEnvoy } from "#test/support/tokens/token-envoy";
import { headerOf, unsigned, withSignature } from "#test/support/tokens/token-text";

const RANDOM_TOKENS = 3000;

test("every token of the corpus fares as with a real Envoy", async (t) => {
  const binary = await envoyOrSkip(t);
  if (binary === undefined) return;
  const corpus = [...tokenCorpus()];
  const theirs = await envoyVerdicts(binary, corpus);
  const ask = ourVerdicts(createTokenVerifier(createSignatureVerifier()), "envoy");
  const recorded = recordedVerdicts();
  let refusedByUsAlone = 0;
  for (const [i, one] of corpus.entries()) {
    const ours = await ask(one);
    assert.equal(recorded.get(one.name), theirs[i], `the record of ${one.name}; npx node tools/record-tokens.ts`);
    if (isRefusedByUsAlone(one.name) && theirs[i] === "") {
      assert.equal(ours, tokenFaults.signature.text, one.name);
      refusedByUsAlone++;
    } else assert.equal(ours, theirs[i], `${one.name}\n${JSON.stringify(one.token)}\n${one.jwks}`);
  }
  assert.ok(refusedByUsAlone > 0 && theirs.filter((verdict) => verdict === "").length > 400);
});

test("random payloads are read as a real Envoy reads them", async (t) => {
  const binary = await envoyOrSkip(t);
  if (binary === undefined) return;
  const random = new Random(testSeed("payloads"));
  const { oct } = makeTestKeys();
  const secret = Buffer.from(oct.jwk.k!, "base64url");
  const envoy = await startTokenEnvoy(binary, [keySetOf([oct])]);
  t.after(envoy.stop);
  let good = 0;
  for (let i = 0; i < RANDOM_TOKENS; i++) {
    const payload = randomJson(random);
    const signed = unsigned(headerOf("HS256"), payload);
    const token = withSignature(signed, hmac(secret, signed));
    const theirs = await envoy.verify(0, token);
    const ours = parseToken(token);
    // Times are looked at by somebody else.
    if ([tokenFaults.expired.text, tokenFaults.notYetValid.text].some((text) => text === theirs.body)) continue;
    assert.equal(ours.ok ? "" : tokenFaults[ours.fault].text, theirs.body, JSON.stringify(payload));
    if (!ours.ok) continue;
    assert.deepEqual(readable(ours.token.claims), JSON.parse(theirs.claims ?? "{}"), JSON.stringify(payload));
    good++;
  }
  assert.ok(good > RANDOM_TOKENS / 20 && good < RANDOM_TOKENS);
});

/** Claims with their texts as text, and with ordinary objects. */
function readable(value: unknown): unknown {
  if (typeof value === "string") return utf8Text(value);
  if (Array.isArray(value)) return value.map(readable);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [utf8Text(name), readable(member)]));
}
