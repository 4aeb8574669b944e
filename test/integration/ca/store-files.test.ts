import assert from "node:assert/strict";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { type TestContext, test } from "node:test";
import { headFileOf, readHeadFile, writeHeadFile } from "#ca/store/head-file";
import { openSqliteStore, type SqliteStoreOptions } from "#ca/store/sqlite/open";
import { verifyChain } from "#ca/store/verify-chain";
import { createAuditKey } from "#test/support/ca/audit-key";
import { recordLog } from "#test/support/ca/record-log";
import { silentLog } from "#test/support/ca/silent-log";
import { authorityOf, completionOf, intentOf, noonMillis, serialOf } from "#test/support/ca/store-records";
import { Random, testSeed } from "#test/support/random";
import { tempFolder } from "#test/support/service/temp-folder";

const options = (file: string, but: Partial<SqliteStoreOptions> = {}): SqliteStoreOptions => ({
  file,
  nowMillis: () => noonMillis,
  log: silentLog,
  ...but,
});

/** A database with so many issuances, closed. */
async function written(t: TestContext, issuances: number): Promise<string> {
  const file = `${await tempFolder(t)}/ca.db`;
  const store = await openSqliteStore(options(file));
  for (let n = 1; n <= issuances; n++) {
    await store.recordIntent(intentOf(n));
    await store.recordCompletion(completionOf(n));
  }
  await store.close();
  return file;
}

const opensWith = (file: string, code: string, message?: RegExp) =>
  assert.rejects(openSqliteStore(options(file)), { code, ...(message && { message }) });

test("T13: the database is its owner's alone, and one that is not is refused with the command that mends it", async (t) => {
  const folder = await tempFolder(t);
  const file = `${folder}/ca.db`;
  const store = await openSqliteStore(options(file));
  await store.recordIntent(intentOf(1));
  for (const path of [file, `${file}-wal`]) assert.equal(statSync(path).mode & 0o777, 0o600, path);
  await store.close();
  for (const mode of [0o640, 0o604, 0o660, 0o602]) {
    chmodSync(file, mode);
    await opensWith(file, "ca-store/permissions", new RegExp(`chmod 600 ${file}`));
  }
  chmodSync(file, 0o600);
  for (const mode of [0o770, 0o702, 0o1777]) {
    chmodSync(folder, mode);
    await opensWith(file, "ca-store/permissions", new RegExp(`chmod 700 ${folder}`));
  }
  chmodSync(folder, 0o755);
  await (await openSqliteStore(options(file))).close();
  await opensWith(`${folder}/none/ca.db`, "ca-store/unavailable", /no folder/);
  symlinkSync(file, `${folder}/link.db`);
  await opensWith(`${folder}/link.db`, "ca-store/unavailable", /no plain file/);
  mkdirSync(`${folder}/folder.db`);
  await opensWith(`${folder}/folder.db`, "ca-store/unavailable", /no plain file/);
});

test("a database of a newer version, or of another program, is refused and not touched", async (t) => {
  const file = await written(t, 1);
  const newer = new DatabaseSync(file);
  newer.exec("PRAGMA user_version = 99");
  newer.close();
  const before = await readFile(file);
  await opensWith(file, "ca-store/newer", /schema 99/);
  assert.deepEqual(await readFile(file), before);
  const foreign = `${file}.foreign`;
  writeFileSync(foreign, "", { mode: 0o600 });
  const other = new DatabaseSync(foreign);
  other.exec("CREATE TABLE things (name TEXT)");
  other.close();
  await opensWith(foreign, "ca-store/damaged", /another program/);
});

test("whatever is done to the bytes of a database, it is opened or refused by code", async (t) => {
  const random = new Random(testSeed("damaged store"));
  const file = await written(t, 30);
  const { size } = statSync(file);
  const codes = new Map<string, number>();
  for (let round = 0; round < (process.env["GARITA_LONG"] === "1" ? 600 : 30); round++) {
    const copy = `${file}.${round}`;
    copyFileSync(file, copy);
    if (round === 0) writeFileSync(copy, "no database at all, but longer than a hundred bytes".repeat(9));
    else if (round % 2 === 0) truncateSync(copy, random.below(size));
    else {
      const bytes = await readFile(copy);
      for (let i = 0; i <= random.below(2_000); i++) bytes[random.below(size)] = random.below(256);
      writeFileSync(copy, bytes);
    }
    const outcome = await openSqliteStore(options(copy)).then(async (store) => {
      // What the opening did not read is met later, and is a fault of that call.
      const reading = store.issuances({ limit: 1_000 }).then(() => "opened", codeOf);
      const outcome = await reading;
      await store.close();
      return outcome;
    }, codeOf);
    codes.set(outcome, (codes.get(outcome) ?? 0) + 1);
  }
  codes.delete("opened");
  assert.deepEqual([...codes.keys()], ["ca-store/damaged"]);
});

function codeOf(fault: unknown): string {
  return String(Reflect.get(Object(fault), "code") ?? fault);
}

test("T14: an old backup that is copied in place is refused: the head file knows better", async (t) => {
  const folder = await tempFolder(t);
  const file = `${folder}/ca.db`;
  const key = createAuditKey();
  const store = await openSqliteStore(options(file));
  await writeHeadFile(headFileOf(file), await key.seal(store));
  await store.backup(`${folder}/old`);
  await store.recordIntent(intentOf(1));
  await store.recordCompletion(completionOf(1));
  await writeHeadFile(headFileOf(file), await key.seal(store));
  await store.close();
  const good = await readFile(file);
  copyFileSync(`${folder}/old`, file);
  await opensWith(file, "ca-store/rolled-back", /garita ca restore/);

  // Even one that has been used since, and is as long.
  copyFileSync(`${folder}/old`, `${folder}/used`);
  const used = await openSqliteStore(options(`${folder}/used`));
  for (const n of [2, 3, 4]) await used.recordIntent(intentOf(n));
  await used.close();
  copyFileSync(`${folder}/used`, file);
  await opensWith(file, "ca-store/rolled-back", /another in its place/);

  writeFileSync(file, "");
  await opensWith(file, "ca-store/rolled-back", /only 0/);
  writeFileSync(file, good);
  await (await openSqliteStore(options(file))).close();

  const head = (await readHeadFile(headFileOf(file)))!;
  await writeHeadFile(headFileOf(file), { ...head, generation: 2 });
  await opensWith(file, "ca-store/rolled-back", /generation 1, before 2/);
  for (const text of ["", "{}", "[]", "null", '{"number":"1"}']) {
    writeFileSync(headFileOf(file), text);
    await opensWith(file, "ca-store/damaged", /head/);
  }
});

test("a head file that is gone is told: an old backup could not be recognised", async (t) => {
  const file = `${await tempFolder(t)}/ca.db`;
  const key = createAuditKey();
  const first = await openSqliteStore(options(file));
  await writeHeadFile(headFileOf(file), await key.seal(first));
  await first.close();
  for (const [lines, there] of [
    [0, true],
    [1, false],
  ] as const) {
    if (!there) rmSync(headFileOf(file));
    const { log, lines: said } = recordLog();
    await (await openSqliteStore(options(file, { log }))).close();
    assert.equal(
      said.filter(({ level, message }) => level === "warn" && /newest head is gone/.test(message)).length,
      lines,
    );
  }
});

test("a head file holds what was written, and is one whole file after each writing", async (t) => {
  const file = `${await tempFolder(t)}/ca.db.head`;
  assert.equal(await readHeadFile(file), undefined);
  const head = {
    number: 3,
    hash: "ab",
    atMillis: 4,
    generation: 1,
    auditKeyId: "k",
    signature: new Uint8Array([1, 2]),
  };
  await writeHeadFile(file, head);
  await writeHeadFile(file, { ...head, number: 4 });
  assert.deepEqual(await readHeadFile(file), { ...head, number: 4 });
  assert.equal(statSync(file).mode & 0o777, 0o600);
  for (const draft of ["new", "part"]) assert.ok(!existsSync(`${file}.${draft}`));
});

test("an older copy beside what a killed service had not yet brought into its file is no database", async (t) => {
  const folder = await tempFolder(t);
  const file = `${folder}/ca.db`;
  const store = await openSqliteStore(options(file));
  await store.backup(`${folder}/old`);
  // Long enough that the log of writes has been brought in and begun anew.
  for (let round = 0; round < 50; round++) {
    const numbers = Array.from({ length: 100 }, (_, i) => round * 100 + i + 1);
    await Promise.all(numbers.map((n) => store.recordIntent(intentOf(n))));
    await Promise.all(numbers.map((n) => store.recordCompletion(completionOf(n))));
  }
  mkdirSync(`${folder}/after`);
  chmodSync(`${folder}/after`, 0o700);
  copyFileSync(`${folder}/old`, `${folder}/after/ca.db`);
  copyFileSync(`${file}-wal`, `${folder}/after/ca.db-wal`);
  await store.close();
  await opensWith(`${folder}/after/ca.db`, "ca-store/damaged");
});

test("a database of the schema before goes on, with since when authorities are in their states, and its log is whole", async (t) => {
  const file = join(await tempFolder(t), "ca.db");
  const first = await openSqliteStore({ file, nowMillis: () => noonMillis, log: silentLog });
  for (const n of [1, 2]) await first.addAuthority(authorityOf(n, { slot: undefined }));
  await first.setAuthorityStates([{ keyId: authorityOf(1).keyId, state: "active" }], noonMillis + 5);
  await first.setAuthorityStates([{ keyId: authorityOf(1).keyId, state: "retiring" }], noonMillis + 9);
  await first.recordIntent(intentOf(1, { bundleSequence: undefined }));
  await first.recordCompletion(completionOf(1));
  await first.close();
  const before = new DatabaseSync(file);
  before.exec(`
    ALTER TABLE issuances DROP COLUMN bundle_sequence;
    ALTER TABLE authorities DROP COLUMN slot;
    ALTER TABLE authorities DROP COLUMN state_millis;
    DROP TABLE root_waivers;
    PRAGMA user_version = 1`);
  before.close();

  const store = await openSqliteStore({ file, nowMillis: () => noonMillis, log: silentLog });
  t.after(() => store.close());
  assert.equal((await store.status()).schemaVersion, 2);
  assert.deepEqual(
    (await store.authorities()).map(({ stateMillis, slot }) => [stateMillis, slot]),
    [
      [noonMillis + 9, undefined],
      [noonMillis, undefined],
    ],
  );
  assert.equal((await store.issuance(serialOf(1)))!.bundleSequence, undefined);
  assert.deepEqual(await store.rootWaivers(), []);
  const report = await verifyChain({ source: store, verifyHead: () => true, nowMillis: noonMillis });
  assert.deepEqual(report.faults, []);
});
