import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { test } from "node:test";
import { entry, newCsr, openScene, operator, testScene, webId } from "#test/support/ca/scene";

test("a revoked identity: a dry run says so, no token is made for it, and it is asked for in vain", async (t) => {
  const { authority, issue } = await testScene(t);
  const { service } = authority;
  const { csrPem } = newCsr();
  const asked = { spiffeId: webId, csrPem, ttlSeconds: undefined };
  assert.notEqual((await service.dryRun(asked)).certificatePem, undefined);
  await service.revoke({ kind: "identity", spiffeId: webId }, "lost", "test");
  const tried = await service.dryRun(asked);
  assert.equal(tried.certificatePem, undefined);
  assert.match(tried.steps.at(-1)?.wanted ?? "", /not revoked/);
  const token = { spiffeId: webId, ttlSeconds: undefined, sourceCidrs: [] };
  await assert.rejects(service.createToken(token, "test"), { code: "ca-token/identity", message: /revoked/ });
  const answer = await issue({ csrPem, spiffeId: webId, credentials: operator });
  assert.equal(!answer.ok && answer.code, "identity/revoked");
});

test("registrations of another trust domain are a warning", async (t) => {
  const foreign = entry("spiffe://other.mesh/ns/a/sa/b");
  const { authority } = await testScene(t, { entries: [entry(webId), foreign] });
  const { warnings } = authority.summary();
  assert.deepEqual(warnings, [
    "1 registration is of another trust domain than `ca.trustDomain` (hello.mesh), as test/b: they give nothing",
  ]);
});

test("a store of another trust domain is refused", async () => {
  const first = await openScene();
  await first.close();
  await assert.rejects(openScene({ folder: first.folder, trustDomain: "moved.mesh" }), {
    code: "ca-authority/other-domain",
    message: /hello\.mesh.*moved\.mesh/,
  });
  const again = await openScene({ folder: first.folder });
  await again.close();
  rmSync(first.folder, { recursive: true });
});
