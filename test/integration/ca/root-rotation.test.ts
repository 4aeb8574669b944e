import assert from "node:assert/strict";
import { test } from "node:test";
import { holdsOf, hour, issueFor, minute, renewIn, rotationScene } from "#test/support/ca/rotation/rotation-scene";
import { entry, webId } from "#test/support/ca/scene";

const shopId = "spiffe://hello.mesh/ns/hello/sa/shop";

async function auditOf({
  authority,
}: {
  readonly authority: { readonly service: { auditReport(): Promise<object> } };
}) {
  return authority.service.auditReport() as Promise<{ ok: boolean; faults: readonly object[] }>;
}

test("a root that nobody waits for is published, and in force when every answer has arrived; the old one leaves later", async (t) => {
  const { scene, pass, rootStates } = await rotationScene(t);
  const { service } = scene.authority;
  const before = service.bundle();
  const issuerBefore = scene.authority.authorities.current().issuing!.keyId;
  const started = await service.root.rotate("alice");
  assert.deepEqual(rootStates(), ["active", "published"]);
  assert.deepEqual(holdsOf(started), ["time"]);
  assert.equal(service.bundle().anchors.length, 2);
  assert.equal(service.bundle().sequence, before.sequence + 1);
  assert.equal(scene.authority.authorities.current().issuing!.keyId, issuerBefore, "nothing is signed with it yet");
  await pass(4 * minute);
  assert.deepEqual(rootStates(), ["retiring", "active"]);
  assert.notEqual(scene.authority.authorities.current().issuing!.keyId, issuerBefore);
  await pass(9 * minute);
  assert.deepEqual(rootStates(), ["retiring", "active"]);
  await pass(2 * minute);
  assert.deepEqual(rootStates(), ["retired", "active"]);
  assert.equal(service.bundle().anchors.length, 1);
  assert.equal(service.bundle().sequence, before.sequence + 2);
  const kinds = (await scene.store.auditEntries(1, 100)).filter(({ kind }) => kind === "root-rotation");
  assert.match(kinds[0]!.canonical, /"by":"alice"/);
  assert.deepEqual(await auditOf(scene), { ...(await auditOf(scene)), ok: true, faults: [] });
});

test("a holder without a stream is named until it has a certificate with the new bundle, and the old root stays as long as a leaf of it", async (t) => {
  const { scene, pass, passUntil, rootStates } = await rotationScene(t);
  const { root } = scene.authority.service;
  const first = await issueFor(scene);
  const started = await root.rotate("alice");
  assert.deepEqual(holdsOf(started), ["time", `certificate ${webId}`]);
  await pass(hour);
  const [step] = (await root.status()).steps;
  assert.deepEqual(step!.heldUpBy, [
    {
      kind: "certificate",
      spiffeId: webId,
      serialHex: first.answer.serialHex,
      untilMillis: first.answer.notAfterMillis + 10 * minute,
    },
  ]);
  const renewed = await renewIn(scene, first);
  assert.equal(holdsOf(await root.status()).length, 1, "the answer may be on its way");
  await pass(4 * minute);
  assert.deepEqual(rootStates(), ["retiring", "active"]);
  await passUntil(renewed.answer.notAfterMillis + 9 * minute);
  assert.deepEqual(rootStates(), ["retiring", "active"], "the renewed one stands under the old root");
  await pass(2 * minute);
  assert.deepEqual(rootStates(), ["retired", "active"]);
  assert.equal((await auditOf(scene)).ok, true);
});

test("without a renewal the new root waits until the old certificate has ended, or the identity is waived by name", async (t) => {
  const { scene, pass, passUntil, rootStates } = await rotationScene(t, { entries: [entry(webId), entry(shopId)] });
  const { root } = scene.authority.service;
  await assert.rejects(root.waive(webId, "early", "alice"), { code: "ca-rotation/none" });
  const { answer } = await issueFor(scene, webId);
  await issueFor(scene, shopId);
  await root.rotate("alice");
  await pass(hour);
  assert.deepEqual(rootStates(), ["active", "published"]);
  await assert.rejects(root.waive("spiffe://hello.mesh/ns/hello/sa/shap", "gone", "alice"), {
    code: "ca-rotation/not-waited-for",
  });
  await assert.rejects(root.waive(shopId, "two\nlines", "alice"), { code: "ca-revocation/reason" });
  const waived = await root.waive(shopId, "its machine is gone", "alice");
  assert.deepEqual(holdsOf(waived), [`certificate ${webId}`]);
  assert.deepEqual(
    waived.waivers.map(({ spiffeId, by, reason }) => [spiffeId, by, reason]),
    [[shopId, "alice", "its machine is gone"]],
  );
  await root.waive(shopId, "again", "bob");
  await passUntil(answer.notAfterMillis + 9 * minute);
  assert.deepEqual(rootStates(), ["active", "published"]);
  await pass(2 * minute);
  assert.deepEqual(rootStates().slice(1), ["active"]);
  assert.equal((await auditOf(scene)).ok, true);
});

test("every live stream must acknowledge the bundle in force; one that refuses it is named with its words", async (t) => {
  const { scene, pass, rootStates, streams, version } = await rotationScene(t);
  const { service } = scene.authority;
  const held = await issueFor(scene);
  const stream = { spiffeId: webId, fingerprint: held.record.fingerprint, node: "web-1", rejected: undefined };
  streams.push({ ...stream, acknowledged: version() });
  await service.root.rotate("alice");
  await pass(hour);
  assert.deepEqual(holdsOf(await service.root.status()), [`stream ${webId}`]);
  assert.equal(scene.authority.summary().rotation.stragglers, 1);
  streams[0] = { ...stream, acknowledged: "before", rejected: { version: version(), message: "too many roots" } };
  await pass(hour);
  assert.match(scene.authority.summary().warnings.join("\n"), /1 of those who are sent the bundle refuse it/);
  const [hold] = (await service.root.status()).steps[0]!.heldUpBy;
  assert.deepEqual(hold, { kind: "stream", spiffeId: webId, node: "web-1", rejected: "too many roots" });
  streams[0] = { ...stream, acknowledged: version() };
  await pass(minute);
  assert.deepEqual(rootStates(), ["retiring", "active"]);
});

test("a rotation is withdrawn before its activation, and begun again; afterwards it is too late", async (t) => {
  const { scene, pass, rootStates } = await rotationScene(t);
  const { service } = scene.authority;
  await assert.rejects(service.root.abort("alice"), { code: "ca-rotation/none" });
  await issueFor(scene);
  await service.root.rotate("alice");
  const { sequence } = service.bundle();
  await service.root.abort("alice");
  assert.deepEqual(rootStates(), ["active", "retired"]);
  assert.equal(service.bundle().anchors.length, 1);
  assert.ok(service.bundle().sequence > sequence, "the sequence never goes back");
  await issueFor(scene);
  await service.root.rotate("alice");
  await service.root.rotate("alice");
  assert.deepEqual(rootStates(), ["active", "retired", "published"], "asked twice it goes on");
  await pass(25 * hour);
  assert.deepEqual(rootStates(), ["retiring", "retired", "active"]);
  await assert.rejects(service.root.abort("alice"), { code: "ca-rotation/too-late" });
  assert.equal((await auditOf(scene)).ok, true);
});

test("an emergency says first who breaks, and is done for the very text that it names", async (t) => {
  const { scene, pass, rootStates } = await rotationScene(t);
  const { service } = scene.authority;
  await assert.rejects(service.root.plan(), { code: "ca-rotation/none" });
  const held = await issueFor(scene);
  const [oldRoot] = (await service.root.status()).roots;
  await assert.rejects(service.root.plan(oldRoot!.keyId), { code: "ca-rotation/root" });
  await assert.rejects(service.root.plan("nothing"), { code: "ca-rotation/root" });
  await service.root.rotate("alice");
  const plan = await service.root.plan();
  assert.deepEqual([plan.action, plan.identities], ["activate", 1]);
  assert.equal(plan.confirmation, `activate ${plan.rootKeyId.slice(0, 8)} leaving 1 behind`);
  await assert.rejects(service.root.force("yes", undefined, "alice"), { code: "ca-rotation/confirmation" });
  assert.deepEqual(rootStates(), ["active", "published"]);
  await service.root.force(plan.confirmation, undefined, "alice");
  assert.deepEqual(rootStates(), ["retiring", "active"]);
  const removal = await service.root.plan();
  assert.deepEqual([removal.action, removal.rootKeyId, removal.identities], ["remove", oldRoot!.keyId, 1]);
  assert.deepEqual(await service.root.plan(oldRoot!.keyId.slice(0, 8)), removal, "as `root status` prints it");
  await assert.rejects(service.root.plan(""), /several roots begin so/);
  await assert.rejects(service.root.force(plan.confirmation, undefined, "alice"), { code: "ca-rotation/confirmation" });
  const states: string[] = [];
  scene.authority.authorities.subscribe(() => states.push(rootStates()[0]!));
  await service.root.force(removal.confirmation, oldRoot!.keyId, "alice");
  assert.deepEqual(states, ["tainted", "retired"]);
  assert.equal(service.bundle().anchors.length, 1);
  await assert.rejects(renewIn(scene, held), "a certificate under a root that was removed is no credential");
  assert.equal((await service.root.forecast()).proxies, 0, "it is broken already");
  await pass(minute);
  assert.equal((await auditOf(scene)).ok, true);
});

test("the forecast tells when the first proxy breaks, when half of them do, and who stands under each authority", async (t) => {
  const { scene, pass } = await rotationScene(t, { entries: [entry(webId), entry(shopId)] });
  const { service } = scene.authority;
  const empty = await service.root.forecast();
  assert.deepEqual([empty.proxies, empty.ends, empty.ifRemoved], [0, undefined, []]);
  const short = await issueFor(scene, webId, 2 * 3600);
  const long = await issueFor(scene, shopId);
  const renewed = await renewIn(scene, long);
  assert.equal((await service.root.forecast()).proxies, 3, "the answer may be on its way");
  await pass(4 * minute);
  const told = await service.root.forecast();
  assert.deepEqual(told.ends, {
    firstMillis: short.answer.notAfterMillis,
    firstSpiffeId: webId,
    halfMillis: short.answer.notAfterMillis,
    lastMillis: renewed.answer.notAfterMillis,
  });
  assert.deepEqual(
    told.ifRemoved.map(({ role, proxies, identities, named }) => [role, proxies, identities, named]),
    [
      ["root", 2, 2, [shopId, webId]],
      ["issuing", 2, 2, [shopId, webId]],
    ],
  );
  await pass(3 * hour);
  assert.equal((await service.root.forecast()).proxies, 1);
  assert.equal(scene.authority.summary().rotation.firstBreakMillis, renewed.answer.notAfterMillis);
});
