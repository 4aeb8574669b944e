import { ok } from "node:assert/strict";
import { test } from "node:test";
import { envoyOrSkip } from "#test/support/envoy/find-envoy";
import { compareWithEnvoy } from "#test/support/jwt-authn/compare-with-envoy";
import { generateCases } from "#test/support/jwt-authn/generate";
import { createKeyRing } from "#test/support/jwt-authn/keys";
import { withStandingClock } from "#test/support/jwt-authn/standing-clock";
import { Random, runsFromEnvironment, testSeed } from "#test/support/random";

/** The test of tokens against Envoy with a clock that stands, so that times of tokens may lie on the second where they count. */
const tokensPerRun = runsFromEnvironment(5000);

test("times of tokens count to the second as they do for Envoy", async (t) => {
  const binary = await envoyOrSkip(t);
  if (binary === undefined) return;
  const now = Math.floor(Date.now() / 1000);
  const clocked = await withStandingClock(binary, now);
  try {
    const random = new Random(testSeed("tokens at a clock"));
    const part = await compareWithEnvoy(
      clocked.binary,
      generateCases({ random, keys: createKeyRing(), tokens: tokensPerRun, now, clockStands: true }),
    );
    ok(part > 1 / 3 && part < 2 / 3, `${part} of the requests came through`);
  } finally {
    await clocked.remove();
  }
});
