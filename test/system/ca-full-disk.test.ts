import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmodSync, rmSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { openSqliteStore } from "#ca/store/sqlite/open";
import { verifyChain } from "#ca/store/verify-chain";
import { silentLog } from "#test/support/ca/silent-log";
import { completionOf, intentOf, noonMillis, serialOf } from "#test/support/ca/store-records";
import { afterAll } from "#test/support/service/after-all";

/** A file system of so many KiB that is gone when the test is over. Needs root: fails without. */
async function smallDisk(t: TestContext, sizeKib: number): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "garita-test-"));
  execFileSync("mount", ["-t", "tmpfs", "-o", `size=${sizeKib}k,mode=0700`, "tmpfs", folder], { stdio: "pipe" });
  afterAll(t, async () => {
    execFileSync("umount", ["--lazy", folder]);
    await rm(folder, { recursive: true });
  });
  chmodSync(folder, 0o700);
  return folder;
}

test("a full disk refuses what it cannot keep, loses nothing that was acknowledged, and takes more when there is room", async (t) => {
  const folder = await smallDisk(t, 2_048);
  const file = `${folder}/ca.db`;
  const open = () => openSqliteStore({ file, nowMillis: () => noonMillis, log: silentLog });
  writeFileSync(`${folder}/ballast`, new Uint8Array(700 * 1024));
  let store = await open();
  const acknowledged: number[] = [];
  let n = 0;
  const issue = async () => {
    for (;;) {
      const mine = ++n;
      if (mine > 20_000) throw new Error("the disk was never full");
      const outcome = await store
        .recordIntent(intentOf(mine))
        .then(
          () => store.recordCompletion(completionOf(mine)),
          (fault) => fault,
        )
        .catch((fault: unknown) => fault);
      if (outcome === undefined) acknowledged.push(mine);
      else {
        assert.equal(Reflect.get(outcome, "code"), "ca-store/full");
        return;
      }
    }
  };
  await Promise.all(Array.from({ length: 8 }, issue));
  assert.ok(acknowledged.length > 20);
  assert.match((await store.status()).fault ?? "", /no room is left/);
  for (const one of acknowledged) assert.equal((await store.issuance(serialOf(one)))?.state, "issued");

  rmSync(`${folder}/ballast`);
  assert.deepEqual(await store.recordIntent(intentOf(++n)), { ok: true });
  assert.equal((await store.status()).fault, undefined);
  await store.recordCompletion(completionOf(n));
  acknowledged.push(n);
  await store.close();
  store = await open();
  for (const one of acknowledged) assert.equal((await store.issuance(serialOf(one)))?.state, "issued");
  const report = await verifyChain({ source: store, verifyHead: () => false, nowMillis: noonMillis });
  assert.deepEqual(report.faults, []);
  await store.close();
});

test("a disk that is full from the start keeps the service from opening, with the code that says so", async (t) => {
  const folder = await smallDisk(t, 64);
  const opening = openSqliteStore({ file: `${folder}/ca.db`, nowMillis: () => noonMillis, log: silentLog });
  await assert.rejects(opening, { code: "ca-store/full" });
});

test("a disk that may only be read is no place for a store, and is one again when it can be written", async (t) => {
  const folder = await smallDisk(t, 4_096);
  const file = `${folder}/ca.db`;
  const store = await openSqliteStore({ file, nowMillis: () => noonMillis, log: silentLog });
  await store.recordIntent(intentOf(1));
  await store.close();
  execFileSync("mount", ["-o", "remount,ro", folder]);
  const opening = openSqliteStore({ file, nowMillis: () => noonMillis, log: silentLog });
  await assert.rejects(opening, { code: "ca-store/unavailable" });
  execFileSync("mount", ["-o", "remount,rw", folder]);
  const again = await openSqliteStore({ file, nowMillis: () => noonMillis, log: silentLog });
  assert.equal(again.abandonedAtOpening, 1);
  await again.close();
});
