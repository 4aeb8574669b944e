import assert from "node:assert/strict";
import { test } from "node:test";
import type { CaStore } from "#ca/store/contract";
import { openSqliteStore } from "#ca/store/sqlite/open";
import { verifyChain } from "#ca/store/verify-chain";
import { runStoreChild } from "#test/support/ca/run-store-child";
import { silentLog } from "#test/support/ca/silent-log";
import { completionOf, intentOf, noonMillis, serialOf, tokenOf } from "#test/support/ca/store-records";
import { Random, testSeed } from "#test/support/random";
import { endsWithTest } from "#test/support/service/ends-with-test";
import { tempFolder } from "#test/support/service/temp-folder";

const rounds = process.env["GARITA_LONG"] === "1" ? 300 : 15;

test("killed at any instant, the store has every record that was acknowledged, and no token is good twice", async (t) => {
  const random = new Random(testSeed("killed store"));
  const folder = await tempFolder(t);
  let first = 1;
  let acknowledged = 0;
  for (let round = 0; round < rounds; round++) {
    // Every round reads the whole log again: a new database now and then keeps that short.
    const file = `${folder}/ca-${Math.floor(round / 25)}.db`;
    const running = runStoreChild(file, first);
    // Killed while it opens, at its first records, or in full swing.
    await running.said(random.below(3) === 0 ? random.below(3) : random.below(400));
    running.child.kill("SIGKILL");
    const lines = await running.ended;
    assert.ok(!lines.some((line) => line.startsWith("failed")), lines.at(-1));
    const store = await openSqliteStore({ file, nowMillis: () => noonMillis, log: silentLog });
    try {
      for (const line of lines.slice(1)) await checkAcknowledged(store, line);
      const report = await verifyChain({ source: store, verifyHead: () => false, nowMillis: noonMillis });
      assert.deepEqual(report.faults, [], `round ${round}`);
      assert.equal((await store.status()).unfinished, 0);
    } finally {
      await store.close();
    }
    acknowledged += Math.max(0, lines.length - 1);
    // Numbers that were begun and not acknowledged may be there: they are left alone.
    first += lines.length + 100;
  }
  assert.ok(acknowledged > rounds * 20, `${acknowledged} records say nothing`);
});

async function checkAcknowledged(store: CaStore, line: string): Promise<void> {
  const [kind, number] = line.split(" ");
  const n = Number(number);
  const record = await store.issuance(serialOf(n));
  assert.equal(record?.spkiHash, intentOf(n).spkiHash, line);
  if (kind === "completion") {
    assert.equal(record.state, "issued", line);
    assert.deepEqual(record.certificateDer, completionOf(n).certificateDer);
  } else assert.notEqual(record.state, "intended", "what was open is abandoned");
  if (n % 3 !== 0) return;
  const { hash, spiffeId } = tokenOf(n);
  assert.equal((await store.joinToken(hash))?.used?.serialHex, serialOf(n), line);
  const again = intentOf(n, { spiffeId, serialHex: serialOf(n + 1e9) });
  const outcome = await store.recordIntent(again, { tokenHash: hash, remoteAddress: undefined });
  assert.deepEqual(outcome, { ok: false, fault: "token-used" }, line);
}

test("T15: of two programs on one store the second is refused, and the first is not disturbed", async (t) => {
  const file = `${await tempFolder(t)}/ca.db`;
  const running = runStoreChild(file, 1);
  endsWithTest(t, running.child);
  await running.said(20);
  for (let i = 0; i < 3; i++) {
    const opening = openSqliteStore({ file, nowMillis: () => noonMillis, log: silentLog });
    await assert.rejects(opening, { code: "ca-store/locked" });
  }
  const { length } = running.lines;
  await running.said(length + 50);
  assert.ok(running.lines.length >= length + 50, "it goes on");
  running.child.kill("SIGKILL");
  await running.ended;
  const store = await openSqliteStore({ file, nowMillis: () => noonMillis, log: silentLog });
  await assert.rejects(openSqliteStore({ file, nowMillis: () => noonMillis, log: silentLog }), {
    code: "ca-store/locked",
  });
  const second = runStoreChild(file, 1_000_000);
  assert.match((await second.ended).join(), /^failed ca-store\/locked /, "also after a refusal in the same program");
  await store.close();
});
