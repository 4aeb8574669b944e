import assert from "node:assert/strict";
import { test } from "node:test";
import { keysOf } from "#test/support/keys/fake-issuers";
import { settle } from "#test/support/keys/fake-time";
import { followed, kidsOf, minute, source, stage, uri } from "#test/support/keys/key-set-stage";

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
