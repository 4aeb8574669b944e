import assert from "node:assert/strict";
import { chmodSync, copyFileSync, rmSync, writeFileSync } from "node:fs";
import { describe, type TestContext, test } from "node:test";
import { openSqliteStore } from "#ca/store/sqlite/open";
import { ServiceRefusal } from "#cli/ca/refusal";
import { atOnce } from "#test/support/ca/chaos/at-once";
import { checkRecord } from "#test/support/ca/chaos/check-record";
import { Fleet, type Held } from "#test/support/ca/chaos/fleet";
import { type Mesh, makeMesh } from "#test/support/ca/chaos/mesh";
import { serveProgram } from "#test/support/ca/chaos/serve-program";
import { silentLog } from "#test/support/ca/silent-log";
import { cli } from "#test/support/cli/run-cli";

/** Puts a file where the store is, as somebody would who does not know of `garita ca restore`. */
function putByHand(mesh: Mesh, file: string): void {
  copyFileSync(file, mesh.store);
  chmodSync(mesh.store, 0o600);
}

/** The service does not start, and says what mends it. */
async function assertRolledBack(t: TestContext, mesh: Mesh): Promise<void> {
  await assert.rejects(serveProgram(t, mesh), ({ message }: Error) => {
    assert.match(message, /^ended with 1: /);
    assert.match(message, /vouches for entry \d+, and the log of `.*ca\.sqlite` has only \d+/);
    assert.match(message, /`garita ca restore`.*\[ca-store\/rolled-back\]\n/s);
    return true;
  });
}

async function verifies(mesh: Mesh, held: Held, roots: string): Promise<void> {
  const [chain, bundle] = [mesh.at("chain.pem"), mesh.at("roots.pem")];
  writeFileSync(chain, held.chain.slice(0, -1).join(""));
  writeFileSync(bundle, roots);
  const verified = await cli(["ca", "verify", chain, "--bundle", bundle]);
  assert.equal(verified.status, 0, verified.err);
}

/** A backup made while certificates were issued, and what was done after it. */
async function backedUp(t: TestContext) {
  const mesh = await makeMesh(t);
  const served = await serveProgram(t, mesh);
  const fleet = new Fleet(mesh, served);
  const [usedSince, unused] = [await fleet.newToken("web"), await fleet.newToken("web")];
  const first = await fleet.join(await fleet.newToken("web"));
  const file = mesh.at("backup.sqlite");
  let busy = true;
  const load = Promise.all(
    [1, 2, 3].map(async () => {
      while (busy) await fleet.operate("web");
    }),
  );
  await fleet.operate("web");
  const ran = await mesh.own("backup", file);
  assert.equal(ran.status, 0, ran.err);
  busy = false;
  await load;
  const since = await fleet.join(usedSince);
  await checkRecord(fleet);
  return { mesh, served, fleet, file, first, since, usedSince, unused };
}

describe("old backups", atOnce, () => {
  test("T14: an old backup put in place by hand is refused; restored, it ends what may have been used since and says what is not known any more", async (t) => {
    const { mesh, served, fleet, file, first, since, usedSince, unused } = await backedUp(t);
    const before = (await checkRecord(fleet)).status;
    const roots = await fleet.admin.text("/v1/bundle");
    await served.stop();

    const whole = mesh.at("whole.sqlite");
    copyFileSync(mesh.store, whole);
    putByHand(mesh, file);
    await assertRolledBack(t, mesh);
    const audited = await mesh.own("audit", "verify", mesh.store);
    assert.equal(audited.status, 5, "the log is shorter than its head");
    // Nothing was changed by the attempt: with the right file everything is as it was.
    putByHand(mesh, whole);
    const again = await serveProgram(t, mesh);
    fleet.follow(again);
    await checkRecord(fleet);
    await again.stop();

    const restored = await mesh.own("restore", file);
    assert.equal(restored.status, 0, restored.err);
    assert.match(restored.out, /\ngeneration {3}2\n/);
    assert.match(restored.out, /\njoin tokens {2}2 ended: they may have been used since the backup\n/);
    assert.match(restored.out, /what was issued .*since the backup is not in the record/);
    const service = await serveProgram(t, mesh);
    const later = new Fleet(mesh, service);
    for (const token of [usedSince, unused]) await assert.rejects(later.join(token), { code: 16 });
    await assert.rejects(
      later.admin.get(`/v1/ca/certificates/${since.serial}`),
      (fault: unknown) => fault instanceof ServiceRefusal && fault.status === 404,
    );
    await verifies(mesh, since, roots);
    // Whoever has a good certificate goes on, whether the record knows it or not; the record says by what.
    await later.renew(first);
    const renewed = await later.renew(since);
    await later.join(await later.newToken("web"));
    const { certificates, status } = await checkRecord(later);
    assert.equal(certificates.find(({ serial }) => serial === renewed.serial)?.evidence, since.fingerprint);
    assert.equal(status.store.generation, before.store.generation + 1);
    assert.ok(status.bundle.sequence > before.bundle.sequence);
    assert.equal(await later.admin.text("/v1/bundle"), roots);
    await service.stop();

    const store = await openSqliteStore({ file: mesh.store, nowMillis: Date.now, log: silentLog });
    const entries = await store.auditEntries(1, 10_000);
    await store.close();
    const told = entries.filter(({ kind }) => kind === "restored").map(({ canonical }) => JSON.parse(canonical));
    assert.equal(told.length, 1);
    assert.ok(JSON.stringify(told[0]).includes('"endedTokens":2'));
    const final = await mesh.own("audit", "verify", mesh.store);
    assert.equal(final.status, 0, final.out);
  });

  test("T14: a backup put in place by hand after a crash is refused too, however young it is: a token was used since", async (t) => {
    const mesh = await makeMesh(t);
    const served = await serveProgram(t, mesh);
    const fleet = new Fleet(mesh, served);
    const token = await fleet.newToken("web");
    const file = mesh.at("backup.sqlite");
    assert.equal((await mesh.own("backup", file)).status, 0);
    await fleet.join(token);
    await served.kill();
    for (const rest of ["-wal", "-shm"]) rmSync(mesh.store + rest, { force: true });
    putByHand(mesh, file);
    await assertRolledBack(t, mesh);
  });
});
