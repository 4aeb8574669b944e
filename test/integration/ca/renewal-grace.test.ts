import assert from "node:assert/strict";
import { test } from "node:test";
import type { Credentials } from "#ca/callers/contract";
import { issuanceDefaults } from "#ca/issuance/settings";
import { time } from "#test/support/ca/der-builder";
import { entry, newCsr, operator, type Scene, sceneDomain, testScene, webId } from "#test/support/ca/scene";
import { makeOpenAuthority } from "#test/support/ca/scene-certificates";
import { enrolIn, issueIn, presenting, refuseIn, tokenIn } from "#test/support/ca/scene-requests";

const hour = 3_600_000;
const dbId = `spiffe://${sceneDomain}/ns/hello/sa/db`;
const entries = [entry(webId), entry(dbId, { callers: [{ kind: "spiffe-id", id: webId }, { kind: "join-token" }] })];
const graceOf = (renewalGraceSeconds: number) => ({
  entries,
  configuration: { issuance: { ...issuanceDefaults, renewalGraceSeconds } },
});

const endedAMinuteAgo = { notAfter: time(Math.floor((Date.now() - 60_000) / 1000) * 1000) };

/** What was seen of the credentials of a refusal. */
async function attemptsOf(scene: Scene, csrPem: string, credentials: Credentials): Promise<string> {
  const { code, explanation } = await refuseIn(scene, { csrPem, credentials });
  assert.equal(code, "caller/refused");
  return explanation.steps.map(({ step, seen }) => `${step}: ${seen}`).join("; ");
}

test("a certificate that has ended is renewed within the grace for its own key, and the record says so", async (t) => {
  const scene = await testScene(t, graceOf(2 * 3600));
  const { chain, csrPem, leaf } = await enrolIn(scene, webId);
  scene.shiftMillis = leaf.notAfter.millis - Date.now() + hour;
  const { record, answer } = await issueIn(scene, { csrPem, credentials: presenting(chain) });
  assert.equal(answer.spiffeId, webId);
  assert.deepEqual([record.method, record.caller], ["ended-x509-svid", webId]);
  assert.equal(scene.outcomes.at(-1)?.method, "ended-x509-svid");
  const audited = await scene.store.auditEntries(1, 10_000);
  assert.ok(audited.some((each) => each.canonical.includes('"method":"ended-x509-svid"')));
});

test("another key, or another identity, is not given by an ended certificate", async (t) => {
  const scene = await testScene(t, graceOf(2 * 3600));
  const { chain, csrPem, leaf } = await enrolIn(scene, webId);
  const credentials = presenting(chain);
  // While it is valid, the certificate of `web` gives `db` too.
  await issueIn(scene, { csrPem: newCsr().csrPem, credentials, spiffeId: dbId });
  scene.shiftMillis = leaf.notAfter.millis - Date.now() + hour;
  assert.equal((await refuseIn(scene, { csrPem: newCsr().csrPem, credentials })).code, "key/not-renewed");
  assert.equal((await refuseIn(scene, { csrPem, credentials, spiffeId: dbId })).code, "identity/not-allowed");
});

test("without a grace, and after it, an ended certificate is no credential", async (t) => {
  const without = await testScene(t, graceOf(0));
  const first = await enrolIn(without, webId);
  without.shiftMillis = first.leaf.notAfter.millis - Date.now() + 2_000;
  assert.match(
    await attemptsOf(without, first.csrPem, presenting(first.chain)),
    /x509-svid: the leaf has expired; caller: who asks/,
  );

  const scene = await testScene(t, graceOf(3600));
  const { chain, csrPem, leaf } = await enrolIn(scene, webId);
  scene.shiftMillis = leaf.notAfter.millis - Date.now() + hour + 2_000;
  assert.match(await attemptsOf(scene, csrPem, presenting(chain)), /ended-x509-svid: .*the grace for its renewal too/);
});

test("a token that is good goes before an ended certificate", async (t) => {
  const scene = await testScene(t, graceOf(3600));
  const { chain, leaf } = await enrolIn(scene, webId);
  scene.shiftMillis = leaf.notAfter.millis - Date.now() + 60_000;
  const credentials = { ...presenting(chain), bearer: await tokenIn(scene, webId) };
  const { record } = await issueIn(scene, { csrPem: newCsr().csrPem, credentials });
  assert.equal(record.method, "join-token");
});

test("a revoked certificate, a revoked identity and one without a registration are not renewed by grace", async (t) => {
  const scene = await testScene(t, graceOf(3600));
  const { chain, csrPem, leaf, answer } = await enrolIn(scene, webId);
  scene.shiftMillis = leaf.notAfter.millis - Date.now() + 60_000;
  await scene.authority.service.revoke({ kind: "serial", serialHex: answer.serialHex }, "test", "test");
  assert.match(
    await attemptsOf(scene, csrPem, presenting(chain)),
    /ended-x509-svid: the certificate [0-9a-f]+ is revoked/,
  );
  await scene.authority.service.revoke({ kind: "identity", spiffeId: webId }, "test", "test");
  assert.match(
    await attemptsOf(scene, csrPem, presenting(chain)),
    /ended-x509-svid: the (certificate|identity) .* is revoked/,
  );

  const ours = makeOpenAuthority();
  const other = await testScene(t, { ...graceOf(3600), imported: ours.material });
  const unknown = presenting(ours.chainOf(`spiffe://${sceneDomain}/ns/hello/sa/unknown`, endedAMinuteAgo));
  assert.equal(
    (await refuseIn(other, { csrPem: newCsr().csrPem, credentials: unknown })).code,
    "identity/not-registered",
  );
});

test("an ended certificate whose chain did not verify before its end is not renewed by grace", async (t) => {
  const ours = makeOpenAuthority();
  const scene = await testScene(t, { ...graceOf(3600), imported: ours.material });
  const { csrPem } = newCsr();
  const good = ours.chainOf(webId, endedAMinuteAgo);
  assert.equal((await refuseIn(scene, { csrPem, credentials: presenting(good) })).code, "key/not-renewed");
  const forged = Uint8Array.from(good[0]!);
  forged[forged.length - 1]! ^= 1;
  for (const [chain, reason] of [
    [
      makeOpenAuthority().chainOf(webId, endedAMinuteAgo),
      /ended-x509-svid: a signature is not the issuer's|ended-x509-svid: neither/,
    ],
    [[forged, good[1]!], /ended-x509-svid: a signature is not the issuer's/],
    [good.slice(0, 1), /ended-x509-svid: neither the presented certificates/],
    [
      ours.chainOf("spiffe://other.example/ns/hello/sa/web", endedAMinuteAgo),
      /ended-x509-svid: there are no trust anchors/,
    ],
  ] as const)
    assert.match(await attemptsOf(scene, csrPem, presenting(chain)), reason);
});

test("an ended certificate gives no role of an administrator", async (t) => {
  const scene = await testScene(t, {
    entries,
    configuration: {
      issuance: { ...issuanceDefaults, renewalGraceSeconds: 3600 },
      admins: [{ spiffeId: webId, role: "operator" }],
    },
  });
  const { chain, leaf } = await enrolIn(scene, webId);
  const { roleOf } = scene.authority.service;
  assert.equal((await roleOf(presenting(chain))).role, "operator");
  scene.shiftMillis = leaf.notAfter.millis - Date.now() + 60_000;
  assert.equal((await roleOf(presenting(chain))).role, undefined);
  assert.equal((await roleOf(operator)).role, "operator");
});
