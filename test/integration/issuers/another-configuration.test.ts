import assert from "node:assert/strict";
import { generateKeyPairSync, sign } from "node:crypto";
import { test } from "node:test";
import { createPlan } from "#authz/authenticate/plan";
import { keySourcesOf } from "#authz/check/tokens/key-sources-of";
import { jwtDefaults } from "#cli/config/jwt-defaults";
import type { JwtConfig } from "#cli/config/model";
import { createIssuers } from "#cli/serve/issuers";
import { parseToken } from "#identity/token/parse";
import { systemClock } from "#platform/clock";
import { createLog } from "#platform/log";
import { createMetrics } from "#platform/metrics";
import { compile } from "#policy-compiler/compile";

const config: JwtConfig = { ...jwtDefaults, blockedCidrs: [], caFile: undefined };

test("a token that was found good is looked at again by another configuration, and refused if it is stricter", async (t) => {
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  // Without `exp`, which Envoy takes for a token that never ends.
  const signed = `${part({ alg: "EdDSA" })}.${part({ iss: "i", sub: "alice" })}`;
  const text = `${signed}.${sign(null, Buffer.from(signed), privateKey).toString("base64url")}`;
  const policy = `
apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: { name: tokens, namespace: foo }
spec: { jwtRules: [{ issuer: i, jwks: '${JSON.stringify({ keys: [publicKey.export({ format: "jwk" })] })}' }] }
`;
  const { ruleSet } = compile([{ path: "p.yaml", bytes: Buffer.from(policy) }]);
  const [provider] = createPlan(ruleSet!.requestAuthentications[0]!.jwtRules)!.providers;
  const parts = {
    clock: systemClock,
    environment: {},
    log: createLog({ level: "silent" }).log,
    metrics: createMetrics(),
  };
  const issuers = await createIssuers(parts, { config, fetching: undefined });
  t.after(() => issuers.keys.stop());
  await issuers.keys.follow(keySourcesOf(ruleSet!), 0);
  const keySets = issuers.keys.current();
  const parsed = parseToken(text);
  assert.ok(parsed.ok);
  const unverified = { provider: provider!, token: parsed.token };

  const lenient = issuers.verification();
  const checking = lenient.verify(unverified, keySets);
  issuers.use({ config: { ...config, algorithmFit: "strict" }, fetching: undefined });
  assert.equal((await checking).ok, true, "begun before, ended after");
  assert.ok(lenient.known(text, provider!, keySets)?.ok);
  const strict = issuers.verification();
  assert.equal(strict.known(text, provider!, keySets), undefined);
  assert.deepEqual(await strict.verify(unverified, keySets), { ok: false, fault: "expired" });
  assert.equal(strict.known(text, provider!, keySets), undefined);
  issuers.use({ config, fetching: undefined });
  assert.equal((await issuers.verification().verify(unverified, keySets)).ok, true);
});
