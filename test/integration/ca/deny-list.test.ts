import assert from "node:assert/strict";
import { test } from "node:test";
import { denyListSignerId } from "#ca/deny-list/contract";
import { verifyDenyList } from "#ca/deny-list/verify-deny-list";
import type { Revocation } from "#ca/store/contract";
import { openScene, type Scene, sceneDomain, testScene, webId } from "#test/support/ca/scene";
import { enrolIn, recordsIn } from "#test/support/ca/scene-requests";

const revoke = (scene: Scene, target: Revocation["target"]) =>
  scene.authority.service.revoke(target, "a test", "operator");
const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

/** The published list, verified as a service would. */
async function published({ authority }: Scene, version?: string) {
  const { denyList, service } = authority;
  await new Promise<void>((resolve) => {
    const stop = denyList.subscribe(look);
    function look() {
      const found = denyList.published();
      if (found === undefined || found.version === version) return;
      stop();
      resolve();
    }
    look();
  });
  const resource = denyList.published()!;
  const answer = verifyDenyList(resource.body, {
    trustDomain: sceneDomain,
    anchors: service.bundle().anchors,
    heldSequence: undefined,
    asOf: { nowMillis: Date.now() },
  });
  assert.ok(answer.ok, JSON.stringify(answer));
  return { list: answer.list, version: resource.version };
}

test("what is revoked is on the list: certificates with their end, identities, and fingerprints that nobody knows", async (t) => {
  const scene = await testScene(t);
  const { answer, record } = await enrolIn(scene, webId);
  const { denyList } = scene.authority;
  assert.deepEqual([denyList.list().certificates, denyList.list().identities], [[], []]);
  await revoke(scene, { kind: "serial", serialHex: answer.serialHex });
  await revoke(scene, { kind: "fingerprint", fingerprint: "0a".repeat(32) });
  await revoke(scene, { kind: "identity", spiffeId: webId });
  await nextTurn();
  const { list } = await published(scene);
  assert.deepEqual(list, denyList.list());
  assert.deepEqual(
    new Map(list.certificates.map(({ fingerprint, endsMillis }) => [fingerprint, endsMillis])),
    new Map([
      [record.fingerprint, record.notAfterMillis],
      ["0a".repeat(32), undefined],
    ]),
  );
  assert.deepEqual(list.identities, [webId]);
});

test("the signer is an identity of the authority's own: recorded like any other, for nobody else to get or to revoke", async (t) => {
  const scene = await testScene(t);
  assert.deepEqual(await recordsIn(scene), [], "nobody has asked for the list");
  await published(scene);
  const records = await recordsIn(scene);
  assert.deepEqual(
    records.map(({ spiffeId, method, state }) => [spiffeId, method, state]),
    [[denyListSignerId(sceneDomain), "self", "issued"]],
  );
  await assert.rejects(revoke(scene, { kind: "identity", spiffeId: denyListSignerId(sceneDomain) }), {
    code: "ca-revocation/target",
  });
});

test("another issuing authority signs the list at once", async (t) => {
  const scene = await testScene(t);
  const { version, list } = await published(scene);
  await scene.authority.service.rotateIssuer("operator");
  const after = await published(scene, version);
  assert.equal(after.list.sequence, list.sequence);
  const [newest] = await recordsIn(scene);
  const active = scene.authority.authorities.current().issuing?.keyId;
  assert.deepEqual([newest?.spiffeId, newest?.issuerKeyId], [denyListSignerId(sceneDomain), active]);
});

test("a restart tells the same list", async (t) => {
  const scene = await openScene();
  const { answer } = await enrolIn(scene, webId);
  await revoke(scene, { kind: "serial", serialHex: answer.serialHex });
  await revoke(scene, { kind: "fingerprint", fingerprint: "0a".repeat(32) });
  await nextTurn();
  const before = scene.authority.denyList.list();
  await scene.close();
  const again = await testScene(t, { folder: scene.folder });
  const { sequence, certificates, identities } = again.authority.denyList.list();
  assert.deepEqual([sequence, certificates, identities], [before.sequence, before.certificates, before.identities]);
});

test("a revocation that could not be kept is on the list until the program ends: it is not known that it is not", async (t) => {
  const scene = await testScene(t, {
    wrapStore: (store) => ({ ...store, revoke: () => Promise.reject(new Error("the disk is gone")) }),
  });
  await assert.rejects(revoke(scene, { kind: "identity", spiffeId: webId }), /the disk is gone/);
  await nextTurn();
  assert.deepEqual(scene.authority.denyList.list().identities, [webId]);
});
