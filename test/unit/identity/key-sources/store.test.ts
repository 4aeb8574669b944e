import assert from "node:assert/strict";
import { test } from "node:test";
import type { KeySource } from "#identity/key-set/key-source";
import type { KeySetStore } from "#identity/key-sources/contract";
import { createKeySetStore } from "#identity/key-sources/key-set-store";
import type { Attempt } from "#identity/key-sources/remote-source";
import { createFakeIssuers, documentOf, down, type FakeIssuers, keysOf } from "#test/support/keys/fake-issuers";
import { createFakeTime, type FakeTime, settle } from "#test/support/keys/fake-time";

const minute = 60_000;
const day = 24 * 60 * minute;
const uri = "https://issuer.example/keys";
const source: KeySource = { kind: "uri", id: "a", uri, timeoutMillis: undefined };

interface Stage {
  readonly time: FakeTime;
  readonly issuers: FakeIssuers;
  readonly store: KeySetStore;
  readonly attempts: Attempt[];
  readonly changes: () => number;
  settings: { refreshMillis: number; maxStaleMillis: number };
}

/** A store over fakes; `random` 0: jitter takes nothing away. */
function stage(random: () => number = () => 0): Stage {
  const time = createFakeTime();
  const issuers = createFakeIssuers();
  const attempts: Attempt[] = [];
  const settings = { refreshMillis: 5 * minute, maxStaleMillis: 7 * day };
  const store = createKeySetStore({
    fetchDocument: issuers.fetchDocument,
    clock: time,
    timers: time,
    random,
    settings: () => settings,
    onAttempt: (attempt) => attempts.push(attempt),
  });
  let changes = 0;
  store.onChange(() => changes++);
  return { time, issuers, store, attempts, changes: () => changes, settings };
}

function kidsOf(store: KeySetStore, id = "a"): readonly string[] | string {
  const state = store.current().of(id);
  return state.kind === "keys" ? state.keys.keys.map(({ kid }) => kid) : state.kind;
}

function versionOf(store: KeySetStore, id = "a"): number {
  const state = store.current().of(id);
  assert.equal(state.kind, "keys");
  return state.kind === "keys" ? state.keys.version : -1;
}

const followed = async (the: Stage, ...sources: readonly KeySource[]) => {
  const done = the.store.follow(sources, minute);
  await settle();
  return done;
};

test("a source that nobody follows is unfetched", () => {
  assert.equal(kidsOf(stage().store), "unfetched");
});

test("an inline set is there at once, and asks nobody", async () => {
  const the = stage();
  const done = the.store.follow([{ kind: "inline", id: "a", text: documentOf("1"), name: "rule 1" }], minute);
  assert.deepEqual(kidsOf(the.store), ["1"]);
  await done;
  await the.store.refresh();
  await the.time.advance(day);
  assert.deepEqual(the.issuers.asked, []);
  assert.equal(the.store.status()[0]?.name, "rule 1");
});

test("an inline set without a usable key is unusable", async () => {
  const the = stage();
  await followed(the, { kind: "inline", id: "a", text: "{}" });
  assert.equal(kidsOf(the.store), "unusable");
  assert.equal(the.store.status()[0]?.name, "inline");
});

test("keys are fetched at once, with five seconds where the policy says nothing", async () => {
  const the = stage();
  the.issuers.put(uri, keysOf("1"));
  await followed(
    the,
    source,
    { ...source, id: "b", timeoutMillis: 250 },
    { ...source, id: "c", timeoutMillis: 3_600_000 },
  );
  assert.deepEqual(kidsOf(the.store), ["1"]);
  assert.deepEqual(the.issuers.asked[0], { uri, timeoutMillis: 5_000 });
});

test("the policy's timeout counts, up to a minute", async () => {
  for (const [said, used] of [
    [250, 250],
    [3_600_000, 60_000],
  ] as const) {
    const the = stage();
    await followed(the, { ...source, timeoutMillis: said });
    assert.equal(the.issuers.asked[0]?.timeoutMillis, used);
  }
});

test("`follow` waits for the first attempt of each new source, and no longer than its patience", async () => {
  const the = stage();
  const answer = Promise.withResolvers<ReturnType<typeof keysOf>>();
  the.issuers.put(uri, () => answer.promise);
  let order = "";
  void the.store.follow([source], 3_000).then(() => {
    order += "patience over";
  });
  await the.time.advance(2_999);
  assert.equal(order, "");
  await the.time.advance(1);
  assert.equal(order, "patience over");
  void the.store.follow([source], minute).then(() => {
    order += ", attempted";
  });
  await settle();
  answer.resolve(keysOf("1"));
  await settle();
  assert.equal(order, "patience over, attempted");
  assert.deepEqual(kidsOf(the.store), ["1"]);
});

test("`follow` does not wait for a failed source to recover", async () => {
  const the = stage();
  await followed(the, source);
  assert.equal(kidsOf(the.store), "unfetched");
  assert.equal(the.store.status()[0]?.fault?.code, "fetch/connect");
});

test("discovery: the document beside the issuer says where the keys are", async () => {
  const the = stage();
  const issuer = "https://issuer.example/realm";
  const document = { issuer: "https://elsewhere.example", jwks_uri: uri };
  the.issuers.put("https://issuer.example/realm/.well-known/openid-configuration", {
    ok: true,
    text: JSON.stringify(document),
  });
  the.issuers.put(uri, keysOf("1"));
  await followed(the, { kind: "discovery", id: "a", issuer, timeoutMillis: 700 });
  assert.deepEqual(kidsOf(the.store), ["1"], issuer);
  assert.deepEqual(
    the.issuers.asked.map(({ timeoutMillis }) => timeoutMillis),
    [700, 700],
  );
  assert.equal(the.store.status()[0]?.name, issuer);
});

test("discovery: a document of no use is a fault, and says what was found", async () => {
  const cases = [
    ["<html>", "found no JSON"],
    ["[]", "found no JSON object"],
    ["null", "found no JSON object"],
    ["{}", "found no `jwks_uri` that is text"],
    ['{"jwks_uri": 7}', "found no `jwks_uri` that is text"],
    ['{"jwks_uri": ""}', "found no `jwks_uri` that is text"],
  ] as const;
  for (const [text, found] of cases) {
    const the = stage();
    the.issuers.put("https://issuer.example/.well-known/openid-configuration", { ok: true, text });
    await followed(the, { kind: "discovery", id: "a", issuer: "https://issuer.example", timeoutMillis: undefined });
    assert.equal(kidsOf(the.store), "unfetched");
    const { fault } = the.store.status()[0]!;
    assert.equal(fault?.code, "keys/discovery");
    assert.ok(fault?.message.endsWith(found), `${text}: ${fault?.message}`);
  }
});

test("faults say which of the two documents they are about", async () => {
  const the = stage();
  const issuer = { kind: "discovery", id: "a", issuer: "https://issuer.example", timeoutMillis: undefined } as const;
  await followed(the, issuer);
  assert.equal(the.store.status()[0]?.fault?.message, "the discovery document: refused");
  the.issuers.put("https://issuer.example/.well-known/openid-configuration", {
    ok: true,
    text: JSON.stringify({ jwks_uri: uri }),
  });
  await the.store.refresh("a");
  assert.equal(the.store.status()[0]?.fault?.message, "the key set: refused");
});

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

test("two sources of one URI share a fetch, and never have two under way", async () => {
  const the = stage();
  the.issuers.put(uri, async () => {
    await settle();
    return keysOf("1");
  });
  void the.store.follow([source, { ...source, id: "b", timeoutMillis: 9 }], minute);
  void the.store.refresh();
  void the.store.refresh("a");
  await the.time.advance(0);
  await settle();
  assert.deepEqual([kidsOf(the.store, "a"), kidsOf(the.store, "b")], [["1"], ["1"]]);
  assert.equal(the.issuers.asked.length, 1);
  assert.equal(the.issuers.mostParallelOf(uri), 1);
  assert.equal(the.attempts.length, 2, "one for each source");
});

test("a thousand issuers are asked a few at a time, and all are asked", async () => {
  const the = stage();
  const sources = Array.from({ length: 1_000 }, (_, i): KeySource => {
    const each = `https://issuer-${i}.example/`;
    the.issuers.put(each, async () => {
      await new Promise((resolve) => setImmediate(resolve));
      return keysOf(String(i));
    });
    return { kind: "uri", id: String(i), uri: each, timeoutMillis: undefined };
  });
  await the.store.follow(sources, day);
  assert.equal(the.issuers.asked.length, 1_000);
  assert.equal(the.issuers.mostParallel(), 32);
  assert.deepEqual(kidsOf(the.store, "999"), ["999"]);
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

test("256 keys are taken", async () => {
  const the = stage();
  const kids = Array.from({ length: 256 }, (_, i) => String(i));
  the.issuers.put(uri, keysOf(...kids));
  await followed(the, source);
  assert.deepEqual(kidsOf(the.store), kids);
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

test("an unknown key id refreshes at once: a rotated key is there with the next token", async () => {
  const the = stage();
  the.issuers.put(uri, keysOf("1"));
  await followed(the, source);
  await the.time.advance(minute);
  the.issuers.put(uri, keysOf("2"));
  the.store.missed("a", "2");
  await settle();
  assert.deepEqual(kidsOf(the.store), ["2"]);
  assert.equal(the.store.status()[0]!.nextMillis! - the.time.nowMillis(), 5 * minute, "the interval starts anew");
});

test("10,000 unknown key ids a second make one refresh every ten seconds, and hold a rotated key up for no longer", async () => {
  const the = stage();
  the.issuers.put(uri, keysOf("1"));
  await followed(the, source);
  await the.time.advance(minute);
  const before = the.issuers.asked.length;
  const pending = the.time.pending();
  for (let second = 0; second < 60; second++) {
    for (let i = 0; i < 10_000; i++) the.store.missed("a", `${second}-${i}`);
    await the.time.advance(1_000);
  }
  // At once, and then at the end of each ten seconds.
  assert.equal(the.issuers.asked.length - before, 7);
  assert.equal(the.time.pending(), pending);
  the.issuers.put(uri, keysOf("2"));
  the.store.missed("a", "2");
  await the.time.advance(10_000);
  assert.deepEqual(kidsOf(the.store), ["2"]);
});

test("a key id that proved unknown is not looked for again for a minute, and then once", async () => {
  const the = stage();
  the.issuers.put(uri, keysOf("1"));
  await followed(the, source);
  await the.time.advance(minute);
  the.store.missed("a", "old");
  await settle();
  assert.equal(the.issuers.asked.length, 2);
  for (let second = 0; second < 59; second++) {
    the.store.missed("a", "old");
    await the.time.advance(1_000);
  }
  assert.equal(the.issuers.asked.length, 2);
  await the.time.advance(1_000);
  the.store.missed("a", "old");
  await settle();
  assert.equal(the.issuers.asked.length, 3);
});

test("a key that was wanted while a document was on its way is looked for once more", async () => {
  const the = stage();
  the.issuers.put(uri, keysOf("1"));
  await followed(the, source);
  await the.time.advance(minute);
  const answer = Promise.withResolvers<ReturnType<typeof keysOf>>();
  the.issuers.put(uri, () => answer.promise);
  void the.store.refresh();
  await the.time.advance(100);
  the.store.missed("a", "2");
  await the.time.advance(100);
  the.issuers.put(uri, keysOf("1", "2"));
  answer.resolve(keysOf("1"));
  await settle();
  assert.deepEqual(kidsOf(the.store), ["1"]);
  await the.time.advance(10_000 - 200);
  assert.deepEqual(kidsOf(the.store), ["1", "2"]);
});

test("unknown key ids do not hurry an issuer that fails", async () => {
  const the = stage();
  await followed(the, source);
  await the.time.advance(2_000 + 4_000 + 8_000 + 16_000);
  const before = the.issuers.asked.length;
  the.store.missed("a", "1");
  await the.time.advance(31_000);
  assert.equal(the.issuers.asked.length, before);
  await the.time.advance(1_000);
  assert.equal(the.issuers.asked.length, before + 1);
});

test("key ids of any length, and of sources that nobody follows, are no trouble", async () => {
  const the = stage();
  the.issuers.put(uri, keysOf("1"));
  await followed(the, source);
  await the.time.advance(minute);
  the.store.missed("nobody", "x");
  await the.time.advance(0);
  assert.equal(the.issuers.asked.length, 1);
  for (let i = 0; i < 100; i++) the.store.missed("a", "x".repeat(100_000) + i);
  await the.time.advance(0);
  assert.equal(the.issuers.asked.length, 2);
});

test("a source that is no longer followed keeps its keys for ten minutes, unrefreshed", async () => {
  const the = stage();
  the.issuers.put(uri, keysOf("1"));
  await followed(the, source);
  const version = versionOf(the.store);
  await followed(the);
  assert.deepEqual(the.store.status(), []);
  await the.time.advance(10 * minute - 1);
  assert.deepEqual(kidsOf(the.store), ["1"]);
  assert.equal(the.issuers.asked.length, 1);
  the.store.missed("a", "2");
  await settle();
  assert.equal(the.issuers.asked.length, 1);
  await followed(the, source);
  assert.equal(versionOf(the.store), version, "back: the same set");
  assert.equal(the.issuers.asked.length, 2, "and a refresh that was overdue");
  await followed(the);
  await the.time.advance(10 * minute);
  assert.equal(kidsOf(the.store), "unfetched");
  assert.equal(the.time.pending(), 0);
});

test("a source that comes back early is refreshed when it was to be", async () => {
  const the = stage();
  the.issuers.put(uri, keysOf("1"));
  await followed(the, source);
  await the.time.advance(minute);
  for (let i = 0; i < 50; i++) {
    await followed(the);
    await followed(the, source);
  }
  assert.equal(the.issuers.asked.length, 1);
  await the.time.advance(4 * minute);
  assert.equal(the.issuers.asked.length, 2);
});

test("of sources that come and go, a bounded number is kept", async () => {
  const the = stage();
  for (let i = 0; i < 300; i++) {
    const each = `https://issuer-${i}.example/`;
    the.issuers.put(each, keysOf("1"));
    await followed(the, { kind: "uri", id: String(i), uri: each, timeoutMillis: undefined });
  }
  await followed(the);
  const left = Array.from({ length: 300 }, (_, i) => kidsOf(the.store, String(i)) !== "unfetched");
  assert.deepEqual([left.indexOf(true), left.filter(Boolean).length], [44, 256]);
});

test("names hold no credentials, are of one line and not too long", async () => {
  const cases = [
    ["https://issuer.example/\n\x1b[31m", "https://issuer.example/??[31m"],
    ["x".repeat(257), `${"x".repeat(256)}...`],
    ["https://user:secret@issuer.example/keys?x=1", "https://issuer.example/keys?..."],
    ["https://user:se@cret@issuer.example/@", "https://issuer.example/@"],
    ["https:user:secret@issuer.example/", "https:issuer.example/"],
    ["https://issuer.example/a@b", "https://issuer.example/a@b"],
    ["https://issuer.example?a@b", "https://issuer.example?..."],
  ] as const;
  for (const [written, name] of cases) {
    const the = stage();
    await followed(the, { ...source, uri: written });
    assert.equal(the.store.status()[0]?.name, name);
  }
});

test("the status holds no key", async () => {
  const the = stage();
  the.issuers.put(uri, keysOf("the-kid"));
  await followed(the, source);
  assert.deepEqual(the.store.status()[0]?.keys, [{ kty: "oct", kid: "the-kid", alg: "" }]);
  assert.ok(!JSON.stringify(the.store.status()).includes(Buffer.from("the-kid").toString("base64url")));
});

test("`stop` cuts off what is under way and leaves no timer", async () => {
  const the = stage();
  the.issuers.put("https://never.example/", () => new Promise(() => undefined));
  the.issuers.put(uri, keysOf("1"));
  void the.store.follow([source, { ...source, id: "b", uri: "https://never.example/" }], 1_000);
  await the.time.advance(1_000);
  await the.store.stop();
  assert.equal(the.time.pending(), 0);
  const before = the.issuers.asked.length;
  await the.store.follow([{ ...source, id: "c" }], minute);
  the.store.missed("a", "2");
  await the.store.refresh();
  await the.time.advance(day);
  assert.equal(the.issuers.asked.length, before);
});

test("who listens to changes is told after them, until it does not want to", async () => {
  const the = stage();
  const seen: unknown[] = [];
  const end = the.store.onChange(() => seen.push(kidsOf(the.store)));
  the.issuers.put(uri, keysOf("1"));
  await followed(the, source);
  assert.deepEqual(seen, ["unfetched", ["1"]]);
  end();
  the.issuers.put(uri, keysOf("2"));
  await the.store.refresh();
  assert.equal(seen.length, 2);
});
