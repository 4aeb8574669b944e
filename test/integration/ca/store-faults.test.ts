import assert from "node:assert/strict";
import { existsSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { type TestContext, test } from "node:test";
import type { Worker } from "node:worker_threads";
import { openSqliteStore, type SqliteStoreOptions } from "#ca/store/sqlite/open";
import { verifyChain } from "#ca/store/verify-chain";
import { silentLog } from "#test/support/ca/silent-log";
import { completionOf, intentOf, noonMillis, serialOf } from "#test/support/ca/store-records";
import { tempFolder } from "#test/support/service/temp-folder";
import { until } from "#test/support/until";

async function open(t: TestContext, but: Partial<SqliteStoreOptions> = {}) {
  const threads: Worker[] = [];
  const note = (worker: Worker) => threads.push(worker);
  process.on("worker", note);
  const file = `${await tempFolder(t)}/ca.db`;
  const store = await openSqliteStore({ file, nowMillis: () => noonMillis, log: silentLog, ...but });
  t.after(async () => {
    process.off("worker", note);
    await store.close();
  });
  return { store, file, threads };
}

/** Timers that go when they are told to. */
function handTimers() {
  const set: { readonly delayMillis: number; readonly run: () => void }[] = [];
  return {
    after(delayMillis: number, run: () => void) {
      const timer = { delayMillis, run };
      set.push(timer);
      return () => {
        if (set.includes(timer)) set.splice(set.indexOf(timer), 1);
      };
    },
    /** Runs those that wait for so long, and answers how many there were. */
    fire(delayMillis: number): number {
      const due = set.filter((timer) => timer.delayMillis === delayMillis);
      for (const timer of due) {
        set.splice(set.indexOf(timer), 1);
        timer.run();
      }
      return due.length;
    },
    delays: () => set.map(({ delayMillis }) => delayMillis),
  };
}

const large = (sizeBytes: number) => ({
  kind: "backed-up" as const,
  atMillis: noonMillis,
  body: { text: "x".repeat(sizeBytes) },
});

test("full: what has no room is refused, its neighbours are kept, and the status tells until there is a good write", async (t) => {
  const { store, file } = await open(t, { maxSizeBytes: 1024 * 1024 });
  const { entries } = await store.status();
  const settled = await Promise.allSettled([
    store.recordIntent(intentOf(1)),
    store.recordEvent(large(4 * 1024 * 1024)),
    store.issuance(serialOf(1)),
    store.recordCompletion(completionOf(1)),
    store.recordEvent(large(3 * 1024 * 1024)),
  ]);
  const outcomes = settled.map((one) => (one.status === "rejected" ? one.reason.code : "kept"));
  assert.deepEqual(outcomes, ["kept", "ca-store/full", "kept", "kept", "ca-store/full"]);
  const full = await store.status();
  assert.match(full.fault ?? "", /no room is left/);
  assert.equal(full.entries, entries + 2, "what was refused left no entry");
  await store.recordIntent(intentOf(2));
  assert.equal((await store.status()).fault, undefined);
  const report = await verifyChain({ source: store, verifyHead: () => false, nowMillis: noonMillis });
  assert.deepEqual(report.faults, []);
  assert.ok(statSync(file).size <= 1024 * 1024);
});

test("a thread that dies: what was asked rejects, what comes is refused, and it is started again", async (t) => {
  const timers = handTimers();
  const { store, threads } = await open(t, { timers });
  await store.recordIntent(intentOf(1));
  const asked = [store.recordIntent(intentOf(2)), store.issuance(serialOf(1)), store.backup("/nowhere/at/all")];
  const refused = asked.map((promise) => assert.rejects(promise, { code: /ca-store\/(unavailable|backup-failed)/ }));
  await threads[0]?.terminate();
  await Promise.all(refused);
  await until(() => timers.delays().includes(100));
  await assert.rejects(store.recordIntent(intentOf(3)), { code: "ca-store/unavailable" });
  assert.match((await store.status()).fault ?? "", /thread of the database/);
  assert.equal(timers.fire(100), 1);
  await until(async () => (await store.status()).fault === undefined);
  assert.equal(
    (await store.issuance(serialOf(1)))?.state,
    "intended",
    "it is the same run: what is under way still is",
  );
  await store.recordCompletion(completionOf(1));
  assert.deepEqual(await store.recordIntent(intentOf(3)), { ok: true });
  const report = await verifyChain({ source: store, verifyHead: () => false, nowMillis: noonMillis });
  assert.deepEqual(report.faults, []);
});

test("a thread that cannot open is started after ever longer pauses, and never over another database", async (t) => {
  const timers = handTimers();
  const { store, threads, file } = await open(t, { timers });
  await store.recordIntent(intentOf(1));
  await threads[0]?.terminate();
  await until(() => timers.delays().includes(100));
  renameSync(file, `${file}.away`);
  for (const pauseMillis of [100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000]) {
    await until(() => timers.delays().includes(pauseMillis));
    assert.equal(timers.fire(pauseMillis), 1);
  }
  await until(() => timers.delays().includes(5_000));
  assert.equal(threads.length, 9);
  assert.match((await store.status()).fault ?? "", /this service saw entry 2/);
  rmSync(file);
  renameSync(`${file}.away`, file);
  timers.fire(5_000);
  await until(async () => (await store.status()).fault === undefined);
  await store.recordCompletion(completionOf(1));
});

test("a store that is closed while its thread is down is closed", async (t) => {
  const timers = handTimers();
  const { store, threads, file } = await open(t, { timers });
  await threads[0]?.terminate();
  await until(() => timers.delays().includes(100));
  await store.close();
  assert.deepEqual(timers.delays(), []);
  const again = await openSqliteStore({ file, nowMillis: () => noonMillis, log: silentLog });
  await again.close();
});

test("a disk that does not answer: callers are told after 30 s, and it is good again when it does", async (t) => {
  const timers = handTimers();
  let silent = false;
  const { store } = await open(t, {
    timers: {
      after(delayMillis, run) {
        if (!silent || delayMillis !== 30_000) return timers.after(delayMillis, run);
        // The batch has just been sent: its answer cannot be here before this turn has ended.
        queueMicrotask(run);
        return () => {};
      },
    },
  });
  silent = true;
  await assert.rejects(store.recordIntent(intentOf(1)), { code: "ca-store/unavailable", message: /30 s/ });
  silent = false;
  await until(async () => (await store.status()).fault === undefined);
  assert.deepEqual(await store.recordIntent(intentOf(2)), { ok: true });
});

test("too many calls are refused at once, and those before them are answered", async (t) => {
  const { store } = await open(t);
  const calls = Array.from({ length: 20_010 }, (_, n) => store.issuance(serialOf(n)));
  const settled = await Promise.allSettled(calls);
  const refused = settled.filter((one) => one.status === "rejected");
  assert.equal(refused.length, 10);
  for (const one of refused) assert.equal(one.reason.code, "ca-store/busy");
  assert.equal(await store.issuance(serialOf(1)), undefined);
});

test("a value that cannot travel to the thread fails its call and wedges nothing", async (t) => {
  const { store } = await open(t);
  const body = { text: (() => "") as unknown as string };
  await assert.rejects(store.recordEvent({ kind: "opened", atMillis: 1, body }));
  assert.deepEqual(await store.recordIntent(intentOf(1)), { ok: true });
});

test("a flood of explanations is bounded in number and size, and the oldest go", async (t) => {
  const timers = handTimers();
  const { store } = await open(t, { timers });
  const explanation = (id: string, seen = "nothing", steps = 1) => ({
    id,
    atMillis: noonMillis,
    code: "csr/pem" as const,
    door: "http",
    remoteAddress: undefined,
    steps: Array.from({ length: steps }, () => ({ step: "read", ok: false, seen, wanted: "PEM", remedy: "send it" })),
  });
  for (let n = 0; n < 500; n++) store.keepExplanation(explanation(`flood-${n}`));
  assert.equal(store.counters.explanationsDropped(), 300);
  assert.equal(timers.fire(200), 1);
  store.keepExplanation(explanation("long", "x".repeat(100_000)));
  assert.equal((await store.explanation("long"))?.steps[0]?.seen.length, 501, "a long text is cut");
  store.keepExplanation(explanation("huge", "x".repeat(500), 100));
  assert.equal(store.counters.explanationsDropped(), 301);
  for (let n = 0; n < 10_050; n++) {
    store.keepExplanation(explanation(`id-${n}`));
    if (n % 150 === 0) timers.fire(200);
  }
  timers.fire(200);
  assert.notEqual(await store.explanation("id-10049"), undefined);
  assert.notEqual(await store.explanation("id-100"), undefined);
  assert.equal(await store.explanation("flood-0"), undefined);
});

test("a backup replaces nothing, is its owner's alone, and leaves nothing where it fails", async (t) => {
  const { store, file } = await open(t);
  await store.recordIntent(intentOf(1));
  writeFileSync(`${file}.taken`, "mine");
  await assert.rejects(store.backup(`${file}.taken`), { code: "ca-store/exists" });
  await assert.rejects(store.backup(`${file}.none/backup`), { code: "ca-store/backup-failed" });
  assert.ok(!existsSync(`${file}.none`));
  const made = store.backup(`${file}.backup`);
  await assert.rejects(store.backup(`${file}.second`), { code: "ca-store/busy" });
  await made;
  assert.equal(statSync(`${file}.backup`).mode & 0o777, 0o600);
});
