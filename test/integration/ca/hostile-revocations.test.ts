import assert from "node:assert/strict";
import { test } from "node:test";
import type { Revocation } from "#ca/store/contract";
import { openScene, type Scene, sceneDomain, testScene, webId } from "#test/support/ca/scene";
import { enrolIn, presenting, refuseIn } from "#test/support/ca/scene-requests";

const identity = (spiffeId: string): Revocation["target"] => ({ kind: "identity", spiffeId });
const revoke = (scene: Scene, target: Revocation["target"], reason = "a test") =>
  scene.authority.service.revoke(target, reason, "operator");

test("what is no workload's identity cannot be revoked: a slip would revoke nobody and say that it did", async (t) => {
  const scene = await testScene(t);
  const slips = [
    `${webId} `,
    `${webId}\n`,
    `${webId}/`,
    webId.toUpperCase(),
    webId.replace(sceneDomain, sceneDomain.toUpperCase()),
    webId.replace(sceneDomain, "hello.mehs"),
    `spiffe://${sceneDomain}`,
    "web",
    `${webId}\ud800`,
  ];
  for (const slip of slips) {
    await assert.rejects(revoke(scene, identity(slip)), { code: "ca-revocation/target" }, JSON.stringify(slip));
  }
  assert.deepEqual(await scene.store.revocations(), []);
  assert.equal(await revoke(scene, identity(webId)), true);
});

test("the authority's own identity cannot be revoked: its doors could never be opened again", async (t) => {
  const scene = await openScene({ serverNames: ["localhost"] });
  for (const path of ["ca", "ca/more", "other"]) {
    const own = `spiffe://${sceneDomain}/garita/${path}`;
    await assert.rejects(revoke(scene, identity(own)), { code: "ca-revocation/target" });
  }
  await scene.close();
  await testScene(t, { folder: scene.folder, serverNames: ["localhost"] });
});

test("a reason that is not text, or not one line, is refused: the log would tell it otherwise than the table for ever", async (t) => {
  const scene = await testScene(t);
  for (const reason of ["lost\ud800", "\udc00", "two\nlines", "\u0000", "", "x".repeat(501)]) {
    const told = JSON.stringify(reason.slice(0, 20));
    await assert.rejects(revoke(scene, identity(webId), reason), { code: "ca-revocation/reason" }, told);
  }
  assert.equal(await revoke(scene, identity(webId), "laptop lost: 💻 Zoë’s"), true);
  const { ok, faults } = await scene.authority.service.auditReport();
  assert.deepEqual([ok, faults], [true, []]);
});

test("a certificate is no credential from the moment on in which its revocation is asked for, however slow the disk is", async (t) => {
  const disk = Promise.withResolvers<void>();
  const scene = await testScene(t, {
    wrapStore: (store) => ({
      ...store,
      async revoke(revocation) {
        await disk.promise;
        return store.revoke(revocation);
      },
    }),
  });
  const { chain, answer, csrPem } = await enrolIn(scene, webId);
  const revoked = revoke(scene, { kind: "serial", serialHex: answer.serialHex });
  const refused = await refuseIn(scene, { csrPem, credentials: presenting(chain) });
  assert.equal(refused.code, "caller/refused");
  disk.resolve();
  assert.equal(await revoked, true);
});

test("a revocation of which it is not known whether it was kept counts until the end of the program", async (t) => {
  const scene = await testScene(t, {
    wrapStore: (store) => ({ ...store, revoke: () => Promise.reject(new Error("the disk is gone")) }),
  });
  const { chain, answer, csrPem } = await enrolIn(scene, webId);
  await assert.rejects(revoke(scene, { kind: "serial", serialHex: answer.serialHex }), /the disk is gone/);
  const refused = await refuseIn(scene, { csrPem, credentials: presenting(chain) });
  assert.equal(refused.code, "caller/refused");
});

test("a fingerprint that is none, and a serial of no certificate, revoke nobody and are refused", async (t) => {
  const scene = await testScene(t);
  for (const fingerprint of ["", "0a", "0A".repeat(32), `${"0a".repeat(32)}\n`]) {
    await assert.rejects(revoke(scene, { kind: "fingerprint", fingerprint }), { code: "ca-revocation/target" });
  }
  await assert.rejects(revoke(scene, { kind: "serial", serialHex: "0a1b" }), { code: "ca-revocation/unknown" });
  assert.deepEqual(await scene.store.revocations(), []);
});

test("a certificate that is revoked by its fingerprint is no credential, and is kept by its serial while it is known", async (t) => {
  const scene = await testScene(t);
  const { chain, answer, csrPem } = await enrolIn(scene, webId);
  const fingerprint = (await scene.store.issuance(answer.serialHex))?.fingerprint ?? "";
  assert.equal(await revoke(scene, { kind: "fingerprint", fingerprint }), true);
  assert.equal(await revoke(scene, { kind: "fingerprint", fingerprint }), false);
  assert.equal(await revoke(scene, { kind: "serial", serialHex: answer.serialHex }), false);
  const targets = (await scene.store.revocations()).map(({ target }) => target);
  assert.deepEqual(targets, [{ kind: "serial", serialHex: answer.serialHex }]);
  const refused = await refuseIn(scene, { csrPem, credentials: presenting(chain) });
  assert.equal(refused.code, "caller/refused");
});

test("a fingerprint that the store does not know is revoked all the same, after a restart too", async (t) => {
  const scene = await openScene();
  const target = { kind: "fingerprint", fingerprint: "0a".repeat(32) } as const;
  assert.equal(await revoke(scene, target), true);
  assert.equal(await revoke(scene, target), false);
  const { ok, faults } = await scene.authority.service.auditReport();
  assert.deepEqual([ok, faults], [true, []]);
  await scene.close();
  const again = await testScene(t, { folder: scene.folder });
  assert.deepEqual(
    (await again.authority.service.revocations()).map((one) => one.target),
    [target],
  );
});
