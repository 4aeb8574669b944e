import assert from "node:assert/strict";
import { test } from "node:test";
import { settle } from "#test/support/keys/fake-time";
import { deltaRequest, readStateResponse, stateRequest } from "#test/support/xds/messages";
import { adsPath, deltaAdsPath, deltaSecretPath, scriptDiscovery, secretPath } from "#test/support/xds/scripted-stream";
import { createShelf, named, shelfUrl } from "#test/support/xds/shelf";
import { discoveryLimits } from "#xds/limits";

const ask = (...resourceNames: string[]) => stateRequest({ typeUrl: shelfUrl, resourceNames });
const other = "type.googleapis.com/test.Other";
const fetchPath = "/envoy.service.secret.v3.SecretDiscoveryService/FetchSecrets";
const head = {
  headers: () => [],
  connection: { clientCertificates: [], remoteAddress: "10.0.0.1", unixSocket: false },
};

/** What ends a stream with INVALID_ARGUMENT, and what does not. */
const typeUrls: readonly (readonly [path: string, typeUrl: string, answered: boolean, code: number | undefined])[] = [
  [secretPath, shelfUrl, true, undefined],
  [secretPath, "", true, undefined],
  [secretPath, other, false, 3],
  [deltaSecretPath, other, false, 3],
  [adsPath, "", false, 3],
  [deltaAdsPath, "", false, 3],
  [adsPath, other, false, undefined],
  [adsPath, shelfUrl, true, undefined],
];
for (const [path, typeUrl, answered, code] of typeUrls)
  test(`${path.split("/").at(-1)} with type_url \`${typeUrl}\`: ${code ?? (answered ? "answered" : "silence")}`, () => {
    const stream = scriptDiscovery({ types: [createShelf({ a: "1" })] }).open(path);
    const request = path.includes("Delta")
      ? deltaRequest({ typeUrl, resourceNamesSubscribe: ["a"] })
      : stateRequest({ typeUrl, resourceNames: ["a"] });
    stream.message(request);
    assert.equal(stream.take().length, answered ? 1 : 0);
    assert.equal(stream.ending()?.code, code);
  });

test("types of one ADS stream are told apart, each with its own acknowledgements", () => {
  const [one, two] = [createShelf({ a: "1" }), createShelf({ a: "7" }, { typeUrl: other })];
  const scripted = scriptDiscovery({ types: [one, two] });
  const stream = scripted.open(adsPath);
  stream.message(ask("a"));
  stream.message(stateRequest({ typeUrl: other, resourceNames: ["a"] }));
  const [first, second] = stream.take();
  assert.deepEqual([first?.typeUrl, second?.typeUrl], [shelfUrl, other]);
  stream.message(stateRequest({ typeUrl: other, resourceNames: ["a"], responseNonce: second!.nonce }));
  // The nonce of another type is none of this one's.
  stream.message(stateRequest({ typeUrl: shelfUrl, resourceNames: ["a"], responseNonce: second!.nonce }));
  assert.deepEqual([one.events, two.events], [[], ["acknowledged a=7"]]);
  assert.deepEqual(
    scripted.discovery.status().map(({ typeUrl }) => typeUrl),
    [shelfUrl, other],
  );
});

test("a stream whose caller may have nothing any more ends: at the change, when it asks, or within a minute", async () => {
  const shelf = createShelf({ a: "1" });
  const scripted = scriptDiscovery({
    types: [shelf],
    callerOf: () => named("web"),
  });
  const revoked = { code: 7, message: "revoked" } as const;
  const [atChange, inTime] = [scripted.open(secretPath), scripted.open(deltaSecretPath)];
  atChange.message(ask("a"));
  shelf.end("web", revoked);
  scripted.turn();
  assert.deepEqual(atChange.ending(), revoked);
  // The other had not asked for anything, and asks now.
  inTime.message(deltaRequest({ resourceNamesSubscribe: ["a"] }));
  assert.deepEqual(inTime.ending(), revoked);
  assert.equal(inTime.take().length, 0);
  assert.equal(shelf.listeners.size, 0);

  const silent = createShelf({ a: "1", b: "1" });
  const asking = scriptDiscovery({ types: [silent] }).open(secretPath);
  asking.message(ask("a"));
  const [answer] = asking.take();
  silent.listeners.clear();
  silent.end("web", revoked);
  asking.message(stateRequest({ resourceNames: ["a", "b"], responseNonce: answer!.nonce }));
  assert.deepEqual([asking.take(), asking.ending()], [[], revoked]);

  const quiet = createShelf({ a: "1" });
  const later = scriptDiscovery({ types: [quiet] });
  const stream = later.open(secretPath);
  stream.message(ask("a"));
  quiet.listeners.clear();
  quiet.end("web", revoked);
  await later.time.advance(59_000);
  later.turn();
  assert.equal(stream.ending(), undefined);
  await later.time.advance(1_000);
  later.turn();
  assert.deepEqual(stream.ending(), revoked);
  await later.time.advance(120_000);
  assert.equal(later.time.pending(), 0);
});

test("a stream that is refused is told why: by the door, by the type, by nobody who knows", async () => {
  const refusal = { code: 16, message: "who?" } as const;
  const types = [createShelf({ a: "1" })];
  const byDoor = scriptDiscovery({ types, callerOf: () => refusal }).open(secretPath);
  assert.deepEqual(byDoor.ending(), refusal);
  const later = scriptDiscovery({ types, callerOf: async () => refusal }).open(secretPath);
  later.message(ask("a"));
  await settle();
  assert.deepEqual([later.ending(), later.take()], [refusal, []]);
  const byType = scriptDiscovery({ types: [createShelf({ a: "1" }, { refusal })] }).open(secretPath);
  byType.message(ask("a"));
  assert.deepEqual(byType.ending(), refusal);
  const failing = scriptDiscovery({ types, callerOf: () => Promise.reject(new Error("the secret reason")) });
  const stream = failing.open(secretPath);
  await settle();
  assert.deepEqual(stream.ending(), { code: 13, message: "the stream failed" });
  assert.match(JSON.stringify(failing.lines), /the secret reason/);
});

test("requests that come before it is known who asks are taken then, in their order", async () => {
  const shelf = createShelf({ a: "1", b: "1" });
  const caller = Promise.withResolvers<ReturnType<typeof named>>();
  const scripted = scriptDiscovery({ types: [shelf], callerOf: () => caller.promise });
  const stream = scripted.open(secretPath);
  stream.message(ask("a"));
  stream.message(ask("a", "b"));
  assert.deepEqual(scripted.discovery.status(), []);
  caller.resolve(named("web"));
  await settle();
  assert.deepEqual(
    stream.take().map(({ resources }) => resources[0]?.text),
    ["a=1"],
  );
  assert.equal(scripted.discovery.status()[0]?.caller, "spiffe://test/web");
});

test("a view that fails ends its stream alone, and its reason is in the log alone", () => {
  const shelf = createShelf({ a: "1" });
  let fails = false;
  const type = {
    ...shelf,
    open: (caller: string) => {
      const view = shelf.open(caller);
      if ("code" in view) return view;
      return {
        ...view,
        lookUp(name: string) {
          if (fails && caller === "bad") throw new Error("the secret reason");
          return view.lookUp(name);
        },
      };
    },
  };
  let callers = 0;
  const scripted = scriptDiscovery({ types: [type], callerOf: () => named(callers++ === 0 ? "bad" : "good") });
  const [bad, good] = [scripted.open(secretPath), scripted.open(secretPath)];
  for (const stream of [bad, good]) {
    stream.message(ask("a"));
    stream.take();
  }
  fails = true;
  shelf.put("a", "2");
  scripted.turn();
  assert.deepEqual(bad.ending(), { code: 13, message: "the stream failed" });
  assert.match(JSON.stringify(scripted.lines), /the secret reason.*discovery\.test/);
  assert.deepEqual(good.take()[0]?.resources[0]?.text, "a=2");
});

test("a discovery that closes ends its streams with UNAVAILABLE, and those that come later", () => {
  const scripted = scriptDiscovery({ types: [createShelf({ a: "1" })] });
  const [one, two] = [scripted.open(secretPath), scripted.open(deltaAdsPath)];
  one.message(ask("a"));
  scripted.discovery.close();
  for (const stream of [one, two, scripted.open(secretPath)])
    assert.deepEqual(stream.ending(), { code: 14, message: "the server stops" });
  assert.deepEqual([scripted.discovery.status(), scripted.time.pending()], [[], 0]);
});

test("a client that sends no more has ended its stream", () => {
  const stream = scriptDiscovery({ types: [createShelf()] }).open(secretPath);
  stream.finished();
  assert.deepEqual(stream.ending(), { code: 0, message: "" });
});

test("status tells who, what and since when, in texts that are cut", async () => {
  const shelf = createShelf({ a: "1", b: "1" });
  const scripted = scriptDiscovery({ types: [shelf] });
  const begun = scripted.time.nowMillis();
  const stream = scripted.open(secretPath);
  const node = { id: `n\n${"é".repeat(500)}` };
  stream.message(stateRequest({ resourceNames: ["a", "b", "none"], node }));
  const [a, b] = stream.take();
  await scripted.time.advance(1_000);
  stream.message(stateRequest({ resourceNames: ["a", "b", "none"], responseNonce: a!.nonce, node: { id: "another" } }));
  const errorDetail = { code: 13, message: `no:\n${"x".repeat(2_000)}` };
  stream.message(stateRequest({ resourceNames: ["a", "b", "none"], responseNonce: b!.nonce, errorDetail }));
  const [status] = scripted.discovery.status();
  const { node: shown, names, ...rest } = status!;
  assert.deepEqual(rest, {
    id: 1,
    typeUrl: shelfUrl,
    variant: "state-of-the-world",
    caller: "spiffe://test/web",
    fingerprint: "ab".repeat(32),
    sinceMillis: begun,
    leftOut: 0,
  });
  assert.match(shown, /^n é+…$/);
  assert.ok(Buffer.byteLength(shown) <= 256);
  const [statusA, statusB, statusNone] = names;
  const at = begun + 1_000;
  assert.deepEqual(statusA, { name: "a", sent: "1", acknowledged: "1", acknowledgedAtMillis: at, rejected: undefined });
  assert.deepEqual(
    [statusB?.acknowledged, statusB?.rejected?.version, statusB?.rejected?.atMillis],
    [undefined, "1", at],
  );
  assert.match(statusB!.rejected!.message, /^no: x+…$/);
  assert.equal(Buffer.byteLength(statusB!.rejected!.message), 1024);
  assert.deepEqual([statusNone?.name, statusNone?.sent], ["none", undefined]);
});

test("what is acknowledged or rejected late, of an older response, does not hide the newer", () => {
  const shelf = createShelf({ a: "1" });
  const scripted = scriptDiscovery({ types: [shelf] });
  const stream = scripted.open(deltaSecretPath);
  stream.message(deltaRequest({ resourceNamesSubscribe: ["a"] }));
  for (const version of ["2", "3"]) {
    shelf.put("a", version);
    scripted.turn();
  }
  const [one, two, three] = stream.take().map(({ nonce }) => nonce);
  const acknowledged = () => {
    const [name] = scripted.discovery.status()[0]!.names;
    return [name?.sent, name?.acknowledged, name?.rejected?.version];
  };
  stream.message(deltaRequest({ responseNonce: two! }));
  assert.deepEqual(acknowledged(), ["3", "2", undefined]);
  stream.message(deltaRequest({ responseNonce: one!, errorDetail: { code: 3, message: "no" } }));
  assert.deepEqual(acknowledged(), ["3", "2", undefined]);
  stream.message(deltaRequest({ responseNonce: three!, errorDetail: { code: 3, message: "no" } }));
  assert.deepEqual(acknowledged(), ["3", "2", "3"]);

  const other = scripted.open(deltaSecretPath);
  other.message(deltaRequest({ resourceNamesSubscribe: ["a"] }));
  shelf.put("a", "4");
  scripted.turn();
  const [old, newer] = other.take().map(({ nonce }) => nonce);
  other.message(deltaRequest({ responseNonce: newer! }));
  other.message(deltaRequest({ responseNonce: old! }));
  assert.equal(scripted.discovery.status()[1]?.names[0]?.acknowledged, "4");
});

test("of many names those that are there are listed first", () => {
  const scripted = scriptDiscovery({ types: [createShelf({ last: "1" })] });
  const stream = scripted.open(secretPath);
  stream.message(ask(...Array.from({ length: 500 }, (_, i) => `none-${i}-${"x".repeat(600)}`), "last"));
  const [status] = scripted.discovery.status();
  assert.deepEqual([status?.names.length, status?.leftOut, status?.names[0]?.name], [100, 401, "last"]);
  assert.ok(status?.names.every(({ name }) => Buffer.byteLength(name) <= 512));
});

const many = (count: number) => Array.from({ length: count }, (_, i) => `name-${i}`);
const limitCases: readonly (readonly [title: string, names: readonly string[][], code: number | undefined])[] = [
  ["10,000 names", [many(10_000)], undefined],
  ["one more", [many(10_001)], 8],
  ["10,001 times the same", [Array.from({ length: 10_001 }, () => "a")], 8],
  ["a name of 4 KiB and one of 100 kB", [["a", "x".repeat(4096), "x".repeat(100_000)]], undefined],
  ["names of 4 MiB together, each short enough", [Array.from({ length: 600 }, (_, i) => `${i}${"x".repeat(4000)}`)], 8],
];
for (const [title, requests, code] of limitCases)
  test(`${title}: ${code ?? "taken"}`, () => {
    const shelf = createShelf({ a: "1", [`${"x".repeat(4097)}`]: "1" });
    for (const path of [secretPath, deltaSecretPath]) {
      const scripted = scriptDiscovery({ types: [shelf] });
      const stream = scripted.open(path);
      for (const names of requests)
        stream.message(path === secretPath ? ask(...names) : deltaRequest({ resourceNamesSubscribe: names }));
      assert.equal(stream.ending()?.code, code);
      const bystander = scripted.open(secretPath);
      bystander.message(ask("a"));
      assert.equal(bystander.take().length, 1);
    }
  });

test("names that are added bit by bit have the same limit, and those that are dropped give their room back", () => {
  const scripted = scriptDiscovery({ types: [createShelf()] });
  const stream = scripted.open(deltaSecretPath);
  for (let round = 0; round < 3; round++) {
    const names = many(discoveryLimits.names).map((name) => `${round}-${name}`);
    stream.message(deltaRequest({ resourceNamesSubscribe: names }));
    assert.equal(stream.ending(), undefined);
    if (round < 2) stream.message(deltaRequest({ resourceNamesUnsubscribe: names }));
  }
  stream.message(deltaRequest({ resourceNamesSubscribe: ["one more"] }));
  assert.deepEqual(stream.ending(), { code: 8, message: "the stream asks for too many names" });
});

test("all streams together have their limit, and what goes makes room", () => {
  const scripted = scriptDiscovery({ types: [createShelf()] });
  const names = Array.from({ length: 480 }, (_, i) => `${i}${"x".repeat(4000)}`);
  const streams = Array.from({ length: 40 }, () => {
    const stream = scripted.open(secretPath);
    stream.message(ask(...names));
    return stream;
  });
  const refused = streams.filter((stream) => stream.ending() !== undefined);
  assert.ok(refused.length > 0 && refused.length < 20, `${refused.length}`);
  assert.ok(refused.every((stream) => stream.ending()?.code === 8));
  for (const stream of streams) stream.leave();
  const after = scripted.open(secretPath);
  after.message(ask(...names));
  assert.equal(after.ending(), undefined);
});

test("what clients say that they hold has its limit too, until they are told that it is gone", () => {
  const scripted = scriptDiscovery({ types: [createShelf({}, { wildcard: true })] });
  const held = (round: string) =>
    Object.fromEntries(Array.from({ length: 480 }, (_, i) => [`${round}${i}${"x".repeat(4000)}`, "1"]));
  const streams = Array.from({ length: 40 }, (_, i) => {
    const stream = scripted.open(deltaSecretPath);
    stream.stopReading();
    stream.message(deltaRequest({ initialResourceVersions: held(`${i}.`) }));
    return stream;
  });
  const refused = streams.filter((stream) => stream.ending() !== undefined);
  assert.ok(refused.length > 0 && refused.length < 30, `${refused.length}`);
  assert.ok(refused.every((stream) => stream.ending()?.code === 8));
  for (const stream of streams) stream.drain();
  const after = scripted.open(secretPath);
  after.message(ask(...Object.keys(held("after"))));
  assert.equal(after.ending(), undefined);
});

test("what is no request ends the stream", () => {
  for (const bytes of [Buffer.from("0aff", "hex"), Buffer.from("ff", "hex"), Buffer.from("1a05", "hex")]) {
    const stream = scriptDiscovery({ types: [createShelf()] }).open(secretPath);
    stream.message(bytes);
    assert.equal(stream.ending()?.code, 3, bytes.toString("hex"));
  }
});

test("fetch answers with all that there are of the names, once each", async () => {
  const shelf = createShelf({ a: "1", b: "1" });
  const { discovery } = scriptDiscovery({ types: [shelf] });
  const fetch = discovery.unary.get(fetchPath)!;
  const answer = await fetch({ ...head, message: ask("a", "b", "a", "none") });
  assert.ok(answer.ok);
  assert.deepEqual(
    readStateResponse(answer.message).resources.map(({ text }) => text),
    ["a=1", "b=1"],
  );
  const codes = [];
  const messages = [ask("none"), stateRequest({ typeUrl: other, resourceNames: ["a"] }), Buffer.from("0aff", "hex")];
  for (const message of [...messages, ask(...many(10_001))]) {
    const refused = await fetch({ ...head, message });
    codes.push(refused.ok ? 0 : refused.code);
  }
  assert.deepEqual(codes, [5, 3, 3, 8]);
  shelf.end("web", { code: 7, message: "revoked" });
  assert.deepEqual(await fetch({ ...head, message: ask("a") }), { ok: false, code: 7, message: "revoked" });
  assert.equal(shelf.listeners.size, 0);
});
