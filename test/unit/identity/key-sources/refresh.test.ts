import assert from "node:assert/strict";
import { test } from "node:test";
import { documentOf, down, keysOf } from "#test/support/keys/fake-issuers";
import { day, followed, kidsOf, minute, source, stage, uri, versionOf } from "#test/support/keys/key-set-stage";

test("keys are refreshed ahead; a removed key is gone, and equal keys are the same set", async () => {
  const the = stage();
  the.issuers.put(uri, keysOf("1", "2"));
  await followed(the, source);
  const before = the.store.current().of("a");
  const version = versionOf(the.store);
  const changes = the.changes();
  await the.time.advance(5 * minute - 1);
  assert.equal(the.issuers.asked.length, 1);
  await the.time.advance(1);
  assert.equal(the.issuers.asked.length, 2);
  assert.equal(the.store.current().of("a"), before, "nothing changed");
  assert.equal(the.changes(), changes);
  the.issuers.put(uri, keysOf("2"));
  const pinned = the.store.current();
  await the.time.advance(5 * minute);
  assert.deepEqual(kidsOf(the.store), ["2"]);
  assert.ok(versionOf(the.store) > version);
  assert.equal(pinned.of("a"), before, "what a request has pinned stays");
  assert.equal(the.changes(), changes + 1);
  assert.deepEqual(
    the.attempts.map(({ outcome }) => outcome),
    ["renewed", "unchanged", "renewed"],
  );
});

test("another key under the same id, another order, another member: another version", async () => {
  const the = stage();
  const key = { kty: "oct", kid: "1", k: "AAAA" };
  const texts = [
    [key],
    [{ ...key, use: "enc" }],
    [{ ...key, alg: "HS256" }],
    [{ ...key, k: "BBBB" }],
    [{ ...key, k: "BBBB" }, key],
    [key, { ...key, k: "BBBB" }],
    [
      { ...key, kid: "2" },
      { ...key, k: "BBBB" },
    ],
  ];
  const versions = new Set<number>();
  for (const keys of texts) {
    the.issuers.put(uri, { ok: true, text: JSON.stringify({ keys }) });
    await followed(the, source);
    await the.store.refresh();
    versions.add(versionOf(the.store));
  }
  assert.equal(versions.size, texts.length);
});

test("`Cache-Control` moves the refresh within bounds", async () => {
  const cases = [
    { maxAgeSeconds: undefined, next: 5 * minute },
    { maxAgeSeconds: 0, next: minute },
    { maxAgeSeconds: 90, next: 90_000 },
    { maxAgeSeconds: 600, next: 10 * minute },
    { maxAgeSeconds: 365 * 86_400, next: 20 * minute },
    { maxAgeSeconds: 86_400, refreshMillis: 60 * minute, next: 60 * minute },
    { maxAgeSeconds: 0, refreshMillis: 10_000, next: 10_000 },
    { maxAgeSeconds: 86_400, maxStaleMillis: 10 * minute, next: 5 * minute },
  ];
  for (const { maxAgeSeconds, next, ...settings } of cases) {
    const the = stage();
    Object.assign(the.settings, settings);
    the.issuers.put(uri, {
      ok: true,
      text: documentOf("1"),
      ...(maxAgeSeconds === undefined ? {} : { maxAgeSeconds }),
    });
    await followed(the, source);
    const { nextMillis } = the.store.status()[0]!;
    assert.equal(nextMillis! - the.time.nowMillis(), next, JSON.stringify({ maxAgeSeconds, ...settings }));
  }
});

test("jitter takes up to a fifth of an interval, and up to half of a wait after a fault", async () => {
  for (const [random, good, bad] of [
    [0, 5 * minute, 2_000],
    [0.5, 4.5 * minute, 1_500],
    [0.999999, 4 * minute, 1_000],
  ] as const) {
    const the = stage(() => random);
    the.issuers.put(uri, keysOf("1"));
    await followed(the, source, { ...source, id: "b", uri: "https://down.example/" });
    const [a, b] = the.store.status().map(({ nextMillis }) => nextMillis! - the.time.nowMillis());
    assert.ok(Math.abs(a! - good) < 2 && Math.abs(b! - bad) < 2, `${a} ${b}`);
  }
});

test("a failing issuer is asked after 2 s, doubled up to the interval, and as usual once it answers", async () => {
  const the = stage();
  await followed(the, source);
  const waits: number[] = [];
  for (let i = 0; i < 10; i++) {
    const wait = the.store.status()[0]!.nextMillis! - the.time.nowMillis();
    waits.push(wait / 1000);
    await the.time.advance(wait);
  }
  assert.deepEqual(waits, [2, 4, 8, 16, 32, 64, 128, 256, 300, 300]);
  the.issuers.put(uri, keysOf("1"));
  await the.time.advance(5 * minute);
  assert.deepEqual(kidsOf(the.store), ["1"]);
  assert.equal(the.store.status()[0]?.fault, undefined);
  the.issuers.put(uri, down);
  await the.time.advance(5 * minute);
  assert.equal(the.store.status()[0]!.nextMillis! - the.time.nowMillis(), 2_000);
});

test("faults of every kind leave the last good keys, and are told", async () => {
  const many = documentOf(...Array.from({ length: 257 }, (_, i) => String(i)));
  const cases = [
    { name: "no connection", answer: down, code: "fetch/connect", outcome: "failed" },
    { name: "`{}`", answer: { ok: true, text: "{}" }, code: "keys/unusable", outcome: "unusable" },
    { name: "an empty set", answer: { ok: true, text: '{"keys":[]}' }, code: "keys/unusable", outcome: "unusable" },
    { name: "HTML", answer: { ok: true, text: "<html>" }, code: "keys/unusable", outcome: "unusable" },
    { name: "too many keys", answer: { ok: true, text: many }, code: "keys/too-many", outcome: "unusable" },
  ] as const;
  for (const { name, answer, code, outcome } of cases) {
    const the = stage();
    the.issuers.put(uri, keysOf("1"));
    await followed(the, source);
    const version = versionOf(the.store);
    const { fetchedMillis } = the.store.status()[0]!;
    the.issuers.put(uri, answer);
    await the.time.advance(5 * minute);
    assert.equal(versionOf(the.store), version, name);
    const status = the.store.status()[0]!;
    assert.equal(status.fault?.code, code, name);
    assert.equal(status.fetchedMillis, fetchedMillis, name);
    assert.equal(status.attemptedMillis, the.time.nowMillis(), name);
    assert.equal(the.attempts.at(-1)?.outcome, outcome, name);
  }
});

test("a fetch or a reader that throws is a fault like others: later attempts go on", async () => {
  const the = stage();
  the.issuers.put(uri, () => {
    throw new TypeError("secret detail");
  });
  await followed(the, source);
  const { fault } = the.store.status()[0]!;
  assert.deepEqual([fault?.code, fault?.message], ["keys/failed", "defect: TypeError"]);
  the.issuers.put(uri, keysOf("1"));
  await the.time.advance(2_000);
  assert.deepEqual(kidsOf(the.store), ["1"]);
});

test("without keys of before: a document of no use makes `unusable`, a failed fetch changes nothing", async () => {
  const the = stage();
  await followed(the, source);
  assert.equal(kidsOf(the.store), "unfetched");
  the.issuers.put(uri, { ok: true, text: "{}" });
  await the.store.refresh();
  assert.equal(kidsOf(the.store), "unusable");
  the.issuers.put(uri, down);
  await the.store.refresh();
  assert.equal(kidsOf(the.store), "unusable");
  the.issuers.put(uri, keysOf("1"));
  await the.store.refresh();
  assert.deepEqual(kidsOf(the.store), ["1"]);
});

test("keys that were not refreshed for too long are dropped, to the millisecond, whatever the wall clock does", async () => {
  for (const [answer, after] of [
    [down, "unfetched"],
    [{ ok: true, text: "{}" }, "unusable"],
  ] as const) {
    const the = stage();
    the.issuers.put(uri, keysOf("1"));
    await followed(the, source);
    the.issuers.put(uri, answer);
    the.time.jump(365 * day);
    await the.time.advance(7 * day - 1);
    assert.deepEqual(kidsOf(the.store), ["1"]);
    const changes = the.changes();
    await the.time.advance(1);
    assert.equal(kidsOf(the.store), after);
    assert.equal(the.changes(), changes + 1);
    assert.equal(the.store.status()[0]?.fetchedMillis, undefined);
    the.issuers.put(uri, keysOf("1"));
    await the.time.advance(5 * minute);
    assert.deepEqual(kidsOf(the.store), ["1"], "and come back");
  }
});

test("a refresh with equal keys starts their age anew", async () => {
  const the = stage();
  the.issuers.put(uri, keysOf("1"));
  await followed(the, source);
  await the.time.advance(6 * day);
  the.issuers.put(uri, down);
  await the.time.advance(6 * day);
  assert.deepEqual(kidsOf(the.store), ["1"]);
  await the.time.advance(day);
  assert.equal(kidsOf(the.store), "unfetched");
});

test("changed settings count from the next attempt on", async () => {
  const the = stage();
  the.issuers.put(uri, keysOf("1"));
  await followed(the, source);
  the.settings.refreshMillis = minute;
  the.settings.maxStaleMillis = 10 * minute;
  await the.store.refresh();
  assert.equal(the.store.status()[0]!.nextMillis! - the.time.nowMillis(), minute);
  the.issuers.put(uri, down);
  await the.time.advance(10 * minute - 1);
  assert.deepEqual(kidsOf(the.store), ["1"]);
  await the.time.advance(1);
  assert.equal(kidsOf(the.store), "unfetched");
});
