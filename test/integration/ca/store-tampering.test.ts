import assert from "node:assert/strict";
import { copyFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { type TestContext, test } from "node:test";
import type { AuditHead } from "#ca/store/contract";
import { openDatabase } from "#ca/store/sqlite/database";
import { openLedger } from "#ca/store/sqlite/ledger";
import { openSqliteStore } from "#ca/store/sqlite/open";
import { createOperations } from "#ca/store/sqlite/operations";
import { sourceOf } from "#ca/store/sqlite/restore";
import { codedFault } from "#ca/store/sqlite/sqlite-faults";
import { type ChainReport, verifyChain } from "#ca/store/verify-chain";
import { CodedError } from "#platform/coded-error";
import { createAuditKey } from "#test/support/ca/audit-key";
import { silentLog } from "#test/support/ca/silent-log";
import { authorityOf, completionOf, intentOf, noonMillis, serialOf, tokenOf } from "#test/support/ca/store-records";
import { Random, testSeed } from "#test/support/random";
import { tempFolder } from "#test/support/service/temp-folder";

const rounds = process.env["GARITA_LONG"] === "1" ? 5_000 : 250;

interface Sealed {
  readonly file: string;
  readonly verifyHead: (head: AuditHead) => boolean;
  readonly exported: AuditHead;
}

/** A database with something of everything, sealed in the middle and at its end; the last head was exported. */
async function sealed(t: TestContext): Promise<Sealed> {
  const file = `${await tempFolder(t)}/ca.db`;
  const key = createAuditKey();
  const store = await openSqliteStore({ file, nowMillis: () => noonMillis, log: silentLog });
  for (const n of [1, 2]) await store.addAuthority(authorityOf(n));
  await store.setAuthorityStates([{ keyId: authorityOf(1).keyId, state: "active" }], noonMillis);
  for (let n = 1; n <= 12; n++) {
    await store.addJoinToken(tokenOf(n));
    const redeem = n % 2 === 0 ? { tokenHash: tokenOf(n).hash, remoteAddress: "10.0.0.1" } : undefined;
    await store.recordIntent(intentOf(n), redeem);
    if (n % 4 === 3) await store.recordAbandoned(serialOf(n), noonMillis, "why");
    else if (n !== 12) await store.recordCompletion(completionOf(n));
    if (n === 6) await key.seal(store);
  }
  const by = { atMillis: noonMillis, by: "operator", reason: "stolen" };
  for (const n of [1, 2])
    await store.addRootWaiver({ ...by, rootKeyId: authorityOf(n).keyId, spiffeId: intentOf(n).spiffeId });
  await store.revoke({ ...by, target: { kind: "serial", serialHex: serialOf(1) } });
  await store.revoke({ ...by, target: { kind: "identity", spiffeId: intentOf(2).spiffeId } });
  await store.revoke({ ...by, target: { kind: "fingerprint", fingerprint: completionOf(4).fingerprint } });
  await store.recordEvent({ kind: "backed-up", atMillis: noonMillis, body: { names: ["dns:a"] } });
  const exported = await key.seal(store);
  await store.close();
  return { file, verifyHead: key.verifyHead, exported };
}

/** Does something to the rows, and verifies the log of what is left. */
async function verified(scene: Sealed, change: (database: DatabaseSync) => void): Promise<ChainReport> {
  const copy = `${scene.file}.changed`;
  copyFileSync(scene.file, copy);
  const writer = new DatabaseSync(copy, { enableForeignKeyConstraints: false });
  writer.exec("PRAGMA synchronous=OFF; PRAGMA ignore_check_constraints=ON");
  change(writer);
  writer.close();
  const database = openDatabase({ file: copy, maxSizeBytes: undefined });
  try {
    const operations = createOperations(openLedger(database), copy);
    const { verifyHead, exported } = scene;
    const source = sourceOf(operations, copy, noonMillis);
    return await verifyChain({ source, verifyHead, exportedHeads: [exported], nowMillis: noonMillis });
  } catch (thrown) {
    // Numbers that no program of ours writes keep the database from being opened, or the status from being told.
    const fault = codedFault(thrown, copy);
    if (!(fault instanceof CodedError) || fault.code !== "ca-store/damaged") throw fault;
    return { ok: false, entries: 0, heads: 0, sealedUpTo: 0, faults: [{ entry: 0, message: fault.message }] };
  } finally {
    database.close();
  }
}

test("T16: a log that nobody touched is found whole, up to its last entry", async (t) => {
  const scene = await sealed(t);
  const report = await verified(scene, () => {});
  assert.deepEqual(report, {
    ok: true,
    entries: scene.exported.number,
    heads: 3,
    sealedUpTo: scene.exported.number,
    faults: [],
  });
});

const tables = [
  "audit_entries",
  "issuances",
  "certificates",
  "join_tokens",
  "revocations",
  "authorities",
  "root_waivers",
] as const;

test("T16: whatever is edited, removed, put in or exchanged in any table is found", async (t) => {
  const random = new Random(testSeed("tampering"));
  const scene = await sealed(t);
  for (let round = 0; round < rounds; round++) {
    let done = "";
    const report = await verified(scene, (database) => {
      done = tamper(database, random);
    });
    assert.ok(!report.ok && report.faults.length > 0, done);
  }
});

/** One change, told as what was done. */
function tamper(database: DatabaseSync, random: Random): string {
  const table = random.pick([...tables, "authority_chains", "audit_heads"] as const);
  const key = table === "audit_heads" ? "sequence" : "rowid";
  if (table === "authority_chains") return edit(database, random, table, "number = 2 AND place = 0");
  const rows = database.prepare(`SELECT ${key} AS id FROM ${table} ORDER BY ${key}`).all();
  const { id } = random.pick(rows) as { id: number };
  // A certificate beside no issuance is answered to nobody, and the places of rows in the other tables tell nothing.
  const others = { audit_entries: ["copy", "exchange"], certificates: ["exchange"] } as const;
  const kinds = [
    "edit",
    "edit",
    "remove",
    "cut",
    ...(table in others ? others[table as keyof typeof others] : ["copy"]),
  ];
  const kind = table === "audit_heads" ? "edit" : random.pick(kinds);
  const what = `${kind} ${table} ${id}`;
  switch (kind) {
    case "edit":
      return edit(database, random, table, `${key} = ${id}`);
    case "remove":
      database.exec(`DELETE FROM ${table} WHERE rowid = ${id}`);
      return what;
    case "cut":
      database.exec(`DELETE FROM ${table} WHERE rowid >= ${id}`);
      return what;
    case "copy":
      copyRow(database, table, id);
      return what;
    default: {
      const other = random.pick(rows.filter((row) => row["id"] !== id)) as { id: number };
      database.exec(`
        UPDATE ${table} SET number = -1 WHERE number = ${id};
        UPDATE ${table} SET number = ${id} WHERE number = ${other.id};
        UPDATE ${table} SET number = ${other.id} WHERE number = -1`);
      return `${what} with ${other.id}`;
    }
  }
}

/** A row once more, under the next number and with a name of its own where that must be unique. */
function copyRow(database: DatabaseSync, table: string, id: number): void {
  const row = database.prepare(`SELECT * FROM ${table} WHERE rowid = ?`).get(id)!;
  const next = database.prepare(`SELECT max(number) + 1 AS next FROM ${table}`).get()!["next"]!;
  const names = Object.keys(row);
  const values = names.map((name) => {
    if (name === "number") return next;
    return ["serial", "hash", "value", "key_id", "root_key_id"].includes(name) ? `${row[name]}0` : row[name]!;
  });
  database.prepare(`INSERT INTO ${table} (${names.join()}) VALUES (${names.map(() => "?").join()})`).run(...values);
}

function edit(database: DatabaseSync, random: Random, table: string, where: string): string {
  const row = database.prepare(`SELECT * FROM ${table} WHERE ${where}`).get()!;
  const name = random.pick(Object.keys(row).filter((column) => !["sequence", "number", "place"].includes(column)));
  const value = row[name]!;
  let changed: string | number | bigint | Uint8Array;
  if (value instanceof Uint8Array) {
    changed = value.slice();
    changed[random.below(changed.length)]! ^= 1 + random.below(255);
  } else if (typeof value === "string") {
    const at = random.below(value.length + 1);
    changed = value.slice(0, at) + random.pick(["x", "0", " ", '"', "\\", ""]) + value.slice(at + random.below(2));
    if (changed === value) changed = `${value}x`;
  } else if (value === null) changed = integers.has(name) ? 7 : "x";
  else changed = random.pick([Number(value) + 1, -1, 2n ** 60n]);
  database.prepare(`UPDATE ${table} SET ${name} = ? WHERE ${where}`).run(changed);
  return `edit ${table}.${name} of ${where}: ${value} to ${changed}`;
}

const integers = new Set(["used_millis"]);

test("T16: a certificate that is put beside an issuance that was not completed is found", async (t) => {
  const scene = await sealed(t);
  for (const [n, state] of [
    [3, "abandoned"],
    [12, "under way"],
  ] as const) {
    const report = await verified(scene, (database) => {
      database.exec(`
        INSERT INTO certificates SELECT i.number, c.fingerprint, c.der FROM issuances i, certificates c
        WHERE i.serial = '${serialOf(n)}' ORDER BY c.number LIMIT 1`);
    });
    assert.equal(report.faults.length, 1, state);
    assert.match(report.faults[0]!.message, /has a certificate, and was not completed/);
  }
});

test("T16: a generation that no restore made is found, before a head is signed for it", async (t) => {
  const scene = await sealed(t);
  for (const generation of [0, 2, 7]) {
    const report = await verified(scene, (database) => {
      database.exec(`UPDATE settings SET value = ${generation} WHERE name = 'generation'`);
    });
    assert.deepEqual(report.faults, [
      { entry: 0, message: `the log is of generation 1, and the database says ${generation}` },
    ]);
  }
});

test("T16: a log that was written anew from some entry on is found by the head that was exported", async (t) => {
  const scene = await sealed(t);
  const copy = `${scene.file}.anew`;
  copyFileSync(scene.file, copy);
  const database = openDatabase({ file: copy, maxSizeBytes: undefined });
  const { number } = scene.exported;
  database.exec(`DELETE FROM audit_heads WHERE number = ${number}; DELETE FROM audit_entries WHERE number = ${number}`);
  const ledger = openLedger(database);
  // Hashed and chained as it should be: only the head knows that it was another.
  ledger.transaction(() => ledger.append("backed-up", noonMillis, { names: ["dns:b"] }));
  const source = sourceOf(createOperations(ledger, copy), copy, noonMillis);
  const question = { source, verifyHead: scene.verifyHead, nowMillis: noonMillis };
  assert.ok((await verifyChain(question)).ok, "without it nothing tells");
  const report = await verifyChain({ ...question, exportedHeads: [scene.exported] });
  database.close();
  assert.deepEqual(
    report.faults.map(({ entry, message }) => [entry, message]),
    [[number, "a signed head vouches for another entry in this place"]],
  );
});

test("T16: a head that another key signed vouches for nothing", async (t) => {
  const scene = await sealed(t);
  const report = await verified({ ...scene, verifyHead: createAuditKey().verifyHead }, () => {});
  assert.equal(report.sealedUpTo, 0);
  assert.equal(report.faults.length, 3);
});
