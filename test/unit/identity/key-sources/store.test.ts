import assert from "node:assert/strict";
import { test } from "node:test";
import type { KeySource } from "#identity/key-set/key-source";
import { documentOf, keysOf } from "#test/support/keys/fake-issuers";
import { settle } from "#test/support/keys/fake-time";
import { day, followed, kidsOf, minute, source, stage, uri, versionOf } from "#test/support/keys/key-set-stage";

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

test("256 keys are taken", async () => {
  const the = stage();
  const kids = Array.from({ length: 256 }, (_, i) => String(i));
  the.issuers.put(uri, keysOf(...kids));
  await followed(the, source);
  assert.deepEqual(kidsOf(the.store), kids);
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
