import assert from "node:assert/strict";
import { chmodSync, existsSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { type TestContext, test } from "node:test";
import { createRevoked } from "#ca/service/revoked";
import { bodyOfEntry } from "#ca/store/chain";
import { headFileOf, readHeadFile, writeHeadFile } from "#ca/store/head-file";
import { openSqliteStore } from "#ca/store/sqlite/open";
import { restoreBackup } from "#ca/store/sqlite/restore";
import { verifyChain } from "#ca/store/verify-chain";
import { createAuditKey } from "#test/support/ca/audit-key";
import { runStoreChild } from "#test/support/ca/run-store-child";
import { silentLog } from "#test/support/ca/silent-log";
import { authorityOf, completionOf, intentOf, noonMillis, serialOf, tokenOf } from "#test/support/ca/store-records";
import { endsWithTest } from "#test/support/service/ends-with-test";
import { tempFolder } from "#test/support/service/temp-folder";

const open = (file: string) => openSqliteStore({ file, nowMillis: () => noonMillis, log: silentLog });
const laterMillis = noonMillis + 60_000;

/** A database with a backup of before its last issuance, both sealed. */
async function scene(t: TestContext) {
  const folder = await tempFolder(t);
  const [file, backupFile] = [`${folder}/ca.db`, `${folder}/backup`];
  const key = createAuditKey();
  const store = await open(file);
  await store.addAuthority(authorityOf(1));
  for (const n of [1, 2, 3]) await store.addJoinToken(tokenOf(n));
  await store.recordIntent(intentOf(1), { tokenHash: tokenOf(1).hash, remoteAddress: "10.0.0.1" });
  await store.recordCompletion(completionOf(1));
  await store.recordIntent(intentOf(9));
  await writeHeadFile(headFileOf(file), await key.seal(store));
  await store.backup(backupFile);
  await store.recordIntent(intentOf(2), { tokenHash: tokenOf(2).hash, remoteAddress: undefined });
  await store.recordCompletion(completionOf(2));
  await writeHeadFile(headFileOf(file), await key.seal(store));
  const restore = (but: Partial<Parameters<typeof restoreBackup>[0]> = {}) =>
    restoreBackup({ backupFile, file, nowMillis: laterMillis, headVerifier: () => key.verifyHead, ...but });
  return { folder, file, backupFile, key, store, restore };
}

test("T14: a restore raises the generation, ends tokens that may have been used since, and keeps what it replaces", async (t) => {
  const { file, backupFile, key, store, restore } = await scene(t);
  const replacedStatus = await store.status();
  await assert.rejects(restore(), { code: "ca-store/locked" });
  await store.close();
  const backupBytes = await readFile(backupFile);
  const restored = await restore();
  assert.deepEqual(await readFile(backupFile), backupBytes, "the backup is left as it is");
  assert.equal(restored.generation, 2);
  assert.equal(restored.endedTokens, 2);
  assert.equal(statSync(file).mode & 0o777, 0o600);

  const again = await open(file);
  t.after(() => again.close());
  assert.equal(again.abandonedAtOpening, 1);
  assert.equal((await again.status()).generation, 2);
  const redeem = (n: number) =>
    again.recordIntent(intentOf(n + 10, { spiffeId: tokenOf(n).spiffeId, atMillis: laterMillis }), {
      tokenHash: tokenOf(n).hash,
      remoteAddress: undefined,
    });
  assert.deepEqual(await redeem(1), { ok: false, fault: "token-used" });
  for (const n of [2, 3]) assert.deepEqual(await redeem(n), { ok: false, fault: "token-expired" });
  assert.equal((await again.issuance(serialOf(1)))?.state, "issued");
  assert.equal(await again.issuance(serialOf(2)), undefined);
  assert.deepEqual(await again.authorities(), [authorityOf(1)]);

  const [entry] = await again.auditEntries(restored.entries + 1, 1);
  assert.equal(entry?.kind, "restored");
  const body = bodyOfEntry(entry)!;
  assert.equal(body["backupEntries"], restored.entries);
  assert.equal(body["replacedHeadNumber"], replacedStatus.entries);
  await writeHeadFile(headFileOf(file), await key.seal(again));
  const exportedHeads = [(await readHeadFile(headFileOf(file)))!];
  const question = { source: again, verifyHead: key.verifyHead, exportedHeads, nowMillis: laterMillis };
  assert.deepEqual((await verifyChain(question)).faults, []);

  const old = await open(restored.replaced!);
  assert.equal((await old.issuance(serialOf(2)))?.state, "issued", "what was replaced is whole");
  await old.close();
});

test("T14: what was revoked since the backup stays revoked", async (t) => {
  const { file, key, store, restore } = await scene(t);
  const revocations = [
    { target: { kind: "serial", serialHex: serialOf(1) }, atMillis: noonMillis + 1, by: "operator", reason: "lost" },
    {
      target: { kind: "identity", spiffeId: intentOf(1).spiffeId },
      atMillis: noonMillis + 2,
      by: "op",
      reason: "gone",
    },
  ] as const;
  for (const revocation of revocations) await store.revoke(revocation);
  await writeHeadFile(headFileOf(file), await key.seal(store));
  await store.close();
  assert.equal((await restore()).keptRevocations, 2);
  const again = await open(file);
  t.after(() => again.close());
  assert.deepEqual(await again.revocations(), revocations);
  assert.deepEqual(await again.recordIntent(intentOf(1, { serialHex: "0a" })), {
    ok: false,
    fault: "identity-revoked",
  });
  const question = { source: again, verifyHead: key.verifyHead, nowMillis: laterMillis };
  assert.deepEqual((await verifyChain(question)).faults, []);
  await again.close();
  const laterStill = { nowMillis: laterMillis + 60_000 };
  assert.equal((await restore(laterStill)).keptRevocations, 2, "the backup has not learned of them");
});

test("T14: a certificate that the backup does not know stays on the deny list, by its fingerprint", async (t) => {
  const { file, key, store, restore } = await scene(t);
  const by = { atMillis: noonMillis + 1, by: "operator", reason: "lost" };
  const revocation = { ...by, target: { kind: "serial", serialHex: serialOf(2) } } as const;
  await store.revoke(revocation);
  await writeHeadFile(headFileOf(file), await key.seal(store));
  await store.close();
  assert.equal((await restore()).keptRevocations, 2);
  const again = await open(file);
  t.after(() => again.close());
  assert.equal(await again.issuance(serialOf(2)), undefined);
  const { fingerprint } = completionOf(2);
  const expected = [revocation, { ...by, target: { kind: "fingerprint", fingerprint } }];
  assert.deepEqual(await again.revocations(), expected);
  const { certificates, revocations } = (await createRevoked(again)).denied();
  assert.deepEqual(certificates, [{ fingerprint, endsMillis: undefined }]);
  assert.equal(revocations, 2);
  await again.close();
  const laterStill = { nowMillis: laterMillis + 60_000 };
  assert.equal((await restore(laterStill)).keptRevocations, 2, "the next restore keeps both");
});

test("T14: what was replaced is refused when it is put back by hand, and accepted when it is restored", async (t) => {
  const { file, store, restore, key } = await scene(t);
  await store.close();
  const { replaced } = await restore();
  const again = await open(file);
  await writeHeadFile(headFileOf(file), await key.seal(again));
  await again.close();
  writeFileSync(file, await readFile(replaced!));
  await assert.rejects(open(file), { code: "ca-store/rolled-back" });
  const back = await restore({ backupFile: replaced!, nowMillis: laterMillis + 1 });
  assert.equal(back.generation, 3, "above what the head vouches for");
  const store3 = await open(file);
  assert.equal((await store3.issuance(serialOf(2)))?.state, "issued");
  await store3.close();
});

test("a restore where nothing is makes a database; one whose service runs is not touched", async (t) => {
  const { folder, store, restore } = await scene(t);
  await store.close();
  const file = `${folder}/new.db`;
  const { replaced, generation } = await restore({ file });
  assert.equal(replaced, undefined);
  assert.equal(generation, 2);
  const running = runStoreChild(file, 100);
  endsWithTest(t, running.child);
  await running.said(10);
  await assert.rejects(restore({ file }), { code: "ca-store/locked" });
  const { length } = running.lines;
  await running.said(length + 10);
  running.child.kill("SIGKILL");
  await running.ended;
});

test("a damaged database is replaced, with the log of its writes set aside", async (t) => {
  const { file, store, restore } = await scene(t);
  await store.close();
  writeFileSync(file, "no database at all, but longer than a hundred bytes".repeat(9));
  writeFileSync(`${file}-wal`, "what a killed service left", { mode: 0o600 });
  const { replaced } = await restore();
  assert.ok(existsSync(`${replaced}-wal`));
  assert.ok(!existsSync(`${file}-wal`));
  await (await open(file)).close();
});

test("a backup that was changed, is newer, or is no backup is not brought back, and the database stays as it was", async (t) => {
  const { folder, file, backupFile, store, restore } = await scene(t);
  await store.close();
  const [before, backup] = [await readFile(file), await readFile(backupFile)];
  const changed = async (sql: string, code: string, message: RegExp) => {
    writeFileSync(backupFile, backup);
    const database = new DatabaseSync(backupFile, { enableForeignKeyConstraints: false });
    database.exec(sql);
    database.close();
    await assert.rejects(restore(), { code, message });
    assert.deepEqual(await readFile(file), before);
  };
  await changed("UPDATE issuances SET spiffe_id = 'spiffe://example.org/admin'", "ca-store/chain-broken", /entry \d+/);
  await changed("UPDATE audit_heads SET signature = x'00'", "ca-store/chain-broken", /not signed/);
  await changed("DELETE FROM audit_entries WHERE number > 3", "ca-store/chain-broken", /./);
  await changed(
    "UPDATE join_tokens SET used_millis = NULL, used_serial = NULL, used_from = NULL",
    "ca-store/chain-broken",
    /join token/,
  );
  await changed("PRAGMA user_version = 99", "ca-store/newer", /99/);
  writeFileSync(backupFile, "text".repeat(200));
  await assert.rejects(restore(), { code: "ca-store/damaged" });
  await assert.rejects(restore({ backupFile: `${folder}/none` }), { code: "ca-store/unavailable" });
  writeFileSync(backupFile, backup);
  chmodSync(file, 0o644);
  await assert.rejects(restore(), { code: "ca-store/permissions" });
  assert.deepEqual(
    readdirSync(dirname(file)).filter((name) => name.includes("restoring") || name.includes("replaced")),
    [],
  );
});

test("a backup that is made while it is written is one moment of it", async (t) => {
  const folder = await tempFolder(t);
  const file = `${folder}/ca.db`;
  const store = await open(file);
  let n = 0;
  let go = true;
  const writers = Array.from({ length: 16 }, async () => {
    while (go) {
      const mine = ++n;
      await store.recordIntent(intentOf(mine));
      await store.recordCompletion(completionOf(mine));
    }
  });
  while (n < 1_500) await store.status();
  const issued = (await store.status()).issued;
  for (const name of ["one", "two", "three"]) await store.backup(`${folder}/${name}`);
  go = false;
  await Promise.all(writers);
  await store.close();
  for (const name of ["one", "two", "three"]) {
    const copy = await open(`${folder}/${name}`);
    const report = await verifyChain({ source: copy, verifyHead: () => false, nowMillis: noonMillis });
    assert.deepEqual(report.faults, []);
    assert.ok((await copy.status()).issued >= issued, "all of before it was asked for");
    await copy.close();
  }
});
