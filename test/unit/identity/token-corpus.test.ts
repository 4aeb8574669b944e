import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { algorithms } from "#identity/token/token";
import { createTokenVerifier } from "#identity/token/verify";
import { createSignatureVerifier } from "#platform/signature-verifier";
import { isTakenByCarefulReader } from "#test/support/tokens/careful-reader";
import { type CorpusToken, tokenCorpus } from "#test/support/tokens/corpus";
import { ourVerdicts } from "#test/support/tokens/our-verdict";
import { isRefusedByUsAlone, recordedVerdicts } from "#test/support/tokens/recorded-verdicts";

interface Judged extends CorpusToken {
  readonly envoy: string;
  readonly ours: string;
  readonly strict: string;
  readonly careful: boolean;
}

describe("the corpus of tokens", () => {
  let judged: readonly Judged[] = [];

  before(async () => {
    const verify = createTokenVerifier(createSignatureVerifier());
    const [lax, strict] = [ourVerdicts(verify, "envoy"), ourVerdicts(verify, "strict")];
    const recorded = recordedVerdicts();
    const all: Judged[] = [];
    for (const one of tokenCorpus()) {
      const envoy = recorded.get(one.name);
      assert.ok(envoy !== undefined, `no record of ${one.name}; npx node tools/record-tokens.ts`);
      const careful = await isTakenByCarefulReader(one);
      all.push({ ...one, envoy, ours: await lax(one), strict: await strict(one), careful });
    }
    judged = all;
    assert.equal(judged.length, recorded.size);
  });

  const namesOf = (chosen: readonly Judged[]) => chosen.map(({ name }) => name);
  const goodNames = algorithms.map((algorithm) => `${algorithm}: good`);

  it("fares as it did with a real Envoy", () => {
    const wrong = judged.filter(
      ({ name, envoy, ours }) => ours !== envoy && !(isRefusedByUsAlone(name) && envoy === ""),
    );
    assert.deepEqual(
      wrong.map(({ name, token, jwks, envoy, ours }) => ({ name, token, jwks, envoy, ours })),
      [],
    );
  });

  it("has nothing that we take and Envoy refuses", () => {
    assert.deepEqual(namesOf(judged.filter(({ ours, envoy }) => ours === "" && envoy !== "")), []);
    assert.ok(judged.filter(({ ours }) => ours === "").length > 400);
  });

  it("has nothing that we take when strict, and Envoy or a careful reader refuses", () => {
    const taken = judged.filter(({ strict }) => strict === "");
    assert.deepEqual(namesOf(taken.filter(({ envoy, careful }) => envoy !== "" || !careful)), []);
    assert.deepEqual(
      goodNames.filter((name) => !taken.some((one) => one.name === name)),
      [],
    );
  });

  it("has little that a careful reader and Envoy take, and we do not when strict", () => {
    const refused = judged.filter(({ strict, envoy, careful }) => careful && envoy === "" && strict !== "");
    assert.deepEqual(namesOf(refused), strictRefusals);
  });
});

/** What RFC 4648 §3.5 lets a reader refuse, and the one extension that jose understands. */
const strictRefusals: readonly string[] = [
  'RS256 with {"crit":["b64"],"b64":true}',
  'ES256 with {"crit":["b64"],"b64":true}',
  'HS256 with {"crit":["b64"],"b64":true}',
  "payload with loose bits",
  "signature with loose bits",
  "RSA signature with loose bits",
];
