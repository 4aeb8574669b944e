import assert from "node:assert/strict";
import { copyFile, cp, mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { type TestContext, test } from "node:test";
import { canonicalEntry, hashEntry } from "#ca/store/chain";
import { headFileOf, readHeadFile } from "#ca/store/head-file";
import { openSqliteStore, type SqliteStore } from "#ca/store/sqlite/open";
import { restoreBackup } from "#ca/store/sqlite/restore";
import { type ChainReport, verifyChain } from "#ca/store/verify-chain";
import { createLog } from "#platform/log";
import { entry, newCsr, openScene, operator, type Scene, sceneDomain, testScene, webId } from "#test/support/ca/scene";
import { makeOpenAuthority } from "#test/support/ca/scene-certificates";
import { bearing, enrolIn, issueIn, presenting, recordsIn, refuseIn, tokenIn } from "#test/support/ca/scene-requests";
import { tempFolder } from "#test/support/service/temp-folder";
import { headVerifierOf } from "../../../../cli/ca/head-verifier.ts";

const databaseId = `spiffe://${sceneDomain}/ns/hello/sa/db`;
const entries = [entry(webId), entry(databaseId)];
const minute = 60_000;
/** Began a day ago. */
const old = makeOpenAuthority();
const ask = (spiffeId = webId) => ({ csrPem: newCsr().csrPem, credentials: operator, spiffeId });

/** What an operator's request gets when the clock is so far from the last record. */
async function answerAt(scene: Scene, shiftMillis: number): Promise<string> {
  scene.shiftMillis = shiftMillis;
  const answer = await scene.issue(ask());
  return answer.ok ? "issued" : answer.code;
}

test("T12: a clock that goes back: up to five minutes are borne, more than that issues nothing until it is right again", async (t) => {
  const scene = await testScene(t, { entries, imported: old.material });
  await issueIn(scene, ask());
  assert.equal(await answerAt(scene, -4 * minute), "issued");
  assert.equal(await answerAt(scene, -6 * minute), "clock/backwards");
  assert.equal(await answerAt(scene, -60 * minute), "clock/backwards");
  assert.equal(await answerAt(scene, 0), "issued");
  scene.shiftMillis = -6 * minute;
  const { last } = await refuseIn(scene, ask());
  const [seen, wanted] = [Date.parse(last.seen), Date.parse(last.wanted.replace("not before ", ""))];
  assert.ok(seen < wanted && wanted - seen < 2 * minute, `${last.seen}, ${last.wanted}`);
  const count = (await recordsIn(scene)).length;
  await answerAt(scene, -7 * minute);
  assert.equal((await recordsIn(scene)).length, count);
});

test("T12: a clock that goes an hour ahead and back again: what was issued then holds the rest up, and the state tells why", async (t) => {
  const scene = await testScene(t, { entries, imported: old.material });
  scene.shiftMillis = 60 * minute;
  const { leaf } = await issueIn(scene, ask());
  const aheadMillis = Date.now() + 60 * minute;
  assert.ok(Math.abs(leaf.notBefore.millis - (aheadMillis - 2 * minute)) < minute);
  assert.equal(await answerAt(scene, 0), "clock/backwards");
  assert.equal(await answerAt(scene, 54 * minute), "clock/backwards");
  assert.equal(await answerAt(scene, 56 * minute), "issued");
});

test("T12: a clock that was set back while the authority was down is seen at the next start", async (t) => {
  const first = await openScene({ entries, imported: old.material });
  const { chain } = await enrolIn(first, webId);
  await first.close();
  const second = await testScene(t, { entries, folder: first.folder, shiftMillis: -60 * minute });
  assert.equal(await answerAt(second, -60 * minute), "clock/backwards");
  assert.equal(await answerAt(second, -6 * minute), "clock/backwards");
  // A certificate that begins after now is no caller's, whatever else the clock does.
  const renewal = { csrPem: newCsr().csrPem, credentials: presenting(chain) };
  assert.equal((await refuseIn(second, renewal)).code, "caller/refused");
  assert.equal(await answerAt(second, -4 * minute), "issued");
  assert.equal(await answerAt(second, 0), "issued");
  await issueIn(second, renewal);
});

test("T12: a clock that is a little before the beginning of its issuer issues nothing that would end before it begins", async (t) => {
  const scene = await testScene(t, { entries });
  const { notBefore } = scene.authority.authorities.current().issuing!.certificate;
  scene.shiftMillis = -4 * minute;
  const { code, last } = await refuseIn(scene, { ...ask(), ttlSeconds: 60 });
  assert.deepEqual([code, last.step.split(":")[0]], ["clock/backwards", "lifetime"]);
  const { leaf } = await issueIn(scene, { ...ask(), ttlSeconds: 3600 });
  assert.ok(leaf.notBefore.millis === notBefore.millis && leaf.notAfter.millis > notBefore.millis);
});

test("T12: no certificate begins before its issuer or ends after it, however the clock stands", async (t) => {
  const scene = await testScene(t, { entries, imported: makeOpenAuthority().material });
  const issuer = scene.authority.authorities.current().issuing!.certificate;
  for (const days of [0, 1, 60, 89]) {
    scene.shiftMillis = days * 24 * 60 * minute;
    const { leaf } = await issueIn(scene, { ...ask(), ttlSeconds: 30 * 24 * 3600 });
    assert.ok(leaf.notBefore.millis >= issuer.notBefore.millis && leaf.notAfter.millis <= issuer.notAfter.millis);
  }
  assert.equal(await answerAt(scene, 90 * 24 * 60 * minute - 5 * minute), "authority/expiring");
  assert.equal(await answerAt(scene, 90 * 24 * 60 * minute + 5 * minute), "authority/expiring");
});

test("T12: an issuing authority that is made by a clock that went back begins no earlier than its root", async (t) => {
  const scene = await testScene(t, { entries });
  const { anchors } = scene.authority.service.bundle();
  scene.shiftMillis = -minute;
  const rotated = await scene.authority.service.rotateIssuer("test");
  assert.equal(rotated.notBeforeMillis, anchors[0]!.notBefore.millis);
  const { leaf } = await issueIn(scene, ask());
  assert.ok(leaf.notBefore.millis >= anchors[0]!.notBefore.millis);
});

const { log } = createLog({ level: "silent" });
const openStore = (file: string): Promise<SqliteStore> => openSqliteStore({ file, nowMillis: Date.now, log });

test("T14: an older copy of the store that is put in place is refused: its head vouches for more", async (t) => {
  const scene = await openScene({ entries });
  await issueIn(scene, ask());
  const copy = join(await tempFolder(t), "old.db");
  await scene.authority.service.backup(copy);
  await issueIn(scene, ask());
  await scene.close();
  await copyFile(copy, scene.file);
  await assert.rejects(openScene({ entries, folder: scene.folder }), { code: "ca-store/rolled-back" });
});

test("T14: a restored backup has a higher generation and sequence, gives no token twice, and its audit is whole", async (t) => {
  const first = await openScene({ entries });
  const used = await tokenIn(first, webId);
  const unused = await tokenIn(first, databaseId);
  const before = await issueIn(first, ask());
  const backupFile = join(await tempFolder(t), "backup.db");
  await first.authority.service.backup(backupFile);
  const after = await issueIn(first, { csrPem: newCsr().csrPem, credentials: bearing(used) });
  const { sequence } = first.authority.service.bundle();
  const { generation } = await first.store.status();
  await first.close();

  const nowMillis = Date.now();
  const restored = await restoreBackup({ backupFile, file: first.file, nowMillis, headVerifier: headVerifierOf });
  assert.equal(restored.endedTokens, 2);
  assert.ok(restored.generation > generation);
  const second = await testScene(t, { entries, folder: first.folder });
  assert.ok(second.authority.service.bundle().sequence > sequence);
  // Redeemed before it, and known as new by the backup: neither is good any more.
  for (const token of [used, unused]) {
    const { code } = await refuseIn(second, { csrPem: newCsr().csrPem, credentials: bearing(token) });
    assert.equal(code, "caller/refused");
  }
  assert.ok((await second.store.issuance(before.answer.serialHex)) !== undefined);
  assert.equal(await second.store.issuance(after.answer.serialHex), undefined);
  // What was issued since the backup is good for its bearer all the same, and is renewed into the record.
  const { record } = await issueIn(second, { csrPem: newCsr().csrPem, credentials: presenting(after.chain) });
  assert.equal(record.evidence, after.record.fingerprint);
  assert.notEqual(record.serialHex, after.answer.serialHex);
  const report = await second.authority.service.auditReport();
  assert.deepEqual([report.ok, report.faults], [true, []]);
});

/** The folder of an authority that has issued, redeemed and revoked, and was closed. */
async function writtenScene(t: TestContext) {
  const scene = await openScene({ entries });
  const token = await tokenIn(scene, webId);
  await issueIn(scene, { csrPem: newCsr().csrPem, credentials: bearing(token) });
  const second = await issueIn(scene, ask());
  const third = await issueIn(scene, ask(databaseId));
  await tokenIn(scene, databaseId);
  await scene.authority.service.revoke({ kind: "serial", serialHex: second.answer.serialHex }, "lost", "test");
  const report = await scene.authority.service.auditReport();
  assert.deepEqual([report.ok, report.faults], [true, []]);
  await scene.close();
  const lastHead = await readHeadFile(headFileOf(scene.file));
  assert.ok(lastHead !== undefined);
  const folder = await tempFolder(t);
  const own = join(folder, "own");
  await cp(scene.folder, own, { recursive: true });
  return { folder, own, lastHead, serialHex: second.answer.serialHex, other: third.answer.serialHex, scene };
}

interface Target {
  readonly serialHex: string;
  readonly other: string;
}
type Edit = (database: DatabaseSync, target: Target) => void;

interface EntryRow {
  readonly number: number;
  readonly atMillis: number;
  readonly kind: Parameters<typeof canonicalEntry>[0]["kind"];
  readonly canonical: string;
}
const rowsFrom = (database: DatabaseSync, number: number) =>
  database
    .prepare(
      "SELECT number, at_millis AS atMillis, kind, canonical FROM audit_entries WHERE number >= ? ORDER BY number",
    )
    .all(number) as unknown as readonly EntryRow[];

/** Numbers of the entries of a kind. */
const numbersOf = (database: DatabaseSync, kind: string): readonly number[] =>
  database
    .prepare("SELECT number FROM audit_entries WHERE kind = ? ORDER BY number")
    .all(kind)
    .map(({ number }) => Number(number));

/** Rewrites the log from an entry on as whoever could write the file would: each entry whole, and chained to the one before. */
function forge(database: DatabaseSync, from: number, change: (body: Record<string, unknown>) => void): void {
  const update = database.prepare("UPDATE audit_entries SET canonical = ?, hash = ? WHERE number = ?");
  let previous = String(database.prepare("SELECT hash FROM audit_entries WHERE number = ?").get(from - 1)?.["hash"]);
  for (const { number, atMillis, kind, canonical } of rowsFrom(database, from)) {
    const { body } = JSON.parse(canonical);
    if (number === from) change(body);
    const forged = canonicalEntry({ number, atMillis, kind, body, previous });
    previous = hashEntry(forged);
    update.run(forged, previous, number);
  }
}

const edits: Readonly<Record<string, Edit>> = {
  "an identity in the inventory": (database, { serialHex }) => {
    database.prepare("UPDATE issuances SET spiffe_id = ? WHERE serial = ?").run(databaseId, serialHex);
  },
  "who asked, in the inventory": (database, { serialHex }) => {
    database.prepare("UPDATE issuances SET caller = 'somebody else' WHERE serial = ?").run(serialHex);
  },
  "a certificate that is taken out of the inventory": (database, { serialHex }) => {
    database
      .prepare("DELETE FROM certificates WHERE number = (SELECT number FROM issuances WHERE serial = ?)")
      .run(serialHex);
    database.prepare("DELETE FROM issuances WHERE serial = ?").run(serialHex);
  },
  "a certificate in the place of another": (database, { serialHex, other }) => {
    const bySerial = "(SELECT number FROM issuances WHERE serial = ?)";
    database
      .prepare(
        `UPDATE certificates SET der = (SELECT der FROM certificates WHERE number = ${bySerial}) WHERE number = ${bySerial}`,
      )
      .run(other, serialHex);
  },
  "an issuance that is said to have come to nothing": (database, { serialHex }) => {
    database.prepare("UPDATE issuances SET state = 2 WHERE serial = ?").run(serialHex);
  },
  "a token that is new again": (database) => {
    database.exec("UPDATE join_tokens SET used_millis = NULL, used_serial = NULL, used_from = NULL");
  },
  "a token of the editor's own": (database) => {
    database.exec(
      `INSERT INTO join_tokens (number, hash, spiffe_id, created_millis, expires_millis, created_by, source_cidrs)
       VALUES (1, '${"a".repeat(64)}', '${webId}', 0, 9e15, 'nobody', '[]')`,
    );
  },
  "a revocation that is taken back": (database) => {
    database.exec("DELETE FROM revocations");
  },
  "a root of the editor's own": (database) => {
    const insert = database.prepare(
      "INSERT INTO authorities (number, key_id, role, state, key_kind, certificate, created_millis) VALUES (?, ?, 'root', 'active', 'P-256', ?, 0)",
    );
    insert.run(1, "f".repeat(40), makeOpenAuthority().root.der);
  },
  "a text of the log": (database) => {
    const [number] = numbersOf(database, "issuance-completed");
    database
      .prepare("UPDATE audit_entries SET canonical = replace(canonical, 'serialHex', 'serialhex') WHERE number = ?")
      .run(number!);
  },
  "a text of the log with its hash": (database) => {
    const [number] = numbersOf(database, "issuance-intended");
    const { canonical } = rowsFrom(database, number!)[0]!;
    const edited = canonical.replaceAll(webId, databaseId);
    assert.notEqual(edited, canonical);
    database
      .prepare("UPDATE audit_entries SET canonical = ?, hash = ? WHERE number = ?")
      .run(edited, hashEntry(edited), number!);
  },
  "the log from one entry on, forged whole": (database) => {
    forge(database, numbersOf(database, "revoked")[0]!, (body) => {
      body["reason"] = "found again";
    });
  },
  "the log and the inventory together, forged whole": (database, { serialHex }) => {
    forge(database, numbersOf(database, "issuance-intended")[1]!, (body) => {
      assert.equal(body["serialHex"], serialHex);
      body["caller"] = "somebody else";
    });
    database.prepare("UPDATE issuances SET caller = 'somebody else' WHERE serial = ?").run(serialHex);
  },
  "an entry that is taken out": (database) => {
    database.prepare("DELETE FROM audit_entries WHERE number = ?").run(numbersOf(database, "revoked")[0]!);
  },
  "two entries that changed places": (database) => {
    const [one, other] = numbersOf(database, "issuance-completed") as [number, number];
    const move = database.prepare("UPDATE audit_entries SET number = ? WHERE number = ?");
    for (const [to, from] of [
      [-1, one],
      [one, other],
      [other, -1],
    ] as const)
      move.run(to, from);
  },
  "heads that somebody else signed": (database) => {
    database.exec("UPDATE audit_heads SET signature = zeroblob(64)");
  },
};

async function auditOf(
  store: SqliteStore,
  heads: Parameters<typeof verifyChain>[0]["exportedHeads"],
): Promise<ChainReport> {
  const verifyHead = headVerifierOf(await store.authorities());
  return verifyChain({ source: store, verifyHead, exportedHeads: heads ?? [], nowMillis: Date.now() });
}

test("T16: every edit of the record is found", async (t) => {
  const { folder, own, lastHead, serialHex, other, scene } = await writtenScene(t);
  const untouched = await openStore(join(own, "ca.db"));
  assert.deepEqual((await auditOf(untouched, [lastHead])).faults, []);
  await untouched.close();
  for (const [what, edit] of Object.entries(edits)) {
    const place = join(folder, `edit ${Object.keys(edits).indexOf(what)}`);
    await mkdir(place, { mode: 0o700 });
    await cp(own, place, { recursive: true });
    const file = join(place, "ca.db");
    const database = new DatabaseSync(file, { enableForeignKeyConstraints: false });
    edit(database, { serialHex, other });
    database.close();
    let store: SqliteStore;
    try {
      store = await openStore(file);
    } catch (fault) {
      // Found before the service begins: the head beside the database vouches for another log.
      assert.ok(
        ["ca-store/rolled-back", "ca-store/damaged"].includes(String(Reflect.get(Object(fault), "code"))),
        what,
      );
      continue;
    }
    const report = await auditOf(store, [lastHead]);
    await store.close();
    assert.equal(report.ok, false, what);
    assert.ok(report.faults.length > 0, what);
  }
  await cp(join(folder, "edit 0"), scene.folder, { recursive: true, force: true });
  const edited = await testScene(t, { entries, folder: scene.folder });
  const report = await edited.authority.service.auditReport();
  assert.equal(report.ok, false);
  assert.match(report.faults[0]!.message, /table|record|otherwise|inventory/);
});

test("T16: a log that was cut off at its end is found by a head that was kept elsewhere", async (t) => {
  const { own, lastHead } = await writtenScene(t);
  const file = join(own, "ca.db");
  const database = new DatabaseSync(file, { enableForeignKeyConstraints: false });
  const [number] = numbersOf(database, "revoked") as [number];
  database.exec(
    `DELETE FROM audit_entries WHERE number >= ${number}; DELETE FROM audit_heads WHERE number >= ${number}`,
  );
  database.exec(`DELETE FROM revocations`);
  database.close();
  await assert.rejects(openStore(file), { code: "ca-store/rolled-back" });
  // With the head beside it gone as well, only what left the machine tells.

  await rm(headFileOf(file));
  const store = await openStore(file);
  t.after(() => store.close());
  const { faults } = await auditOf(store, [lastHead]);
  assert.ok(faults.length > 0);
});
