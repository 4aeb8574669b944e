import assert from "node:assert/strict";
import type { ClientHttp2Session } from "node:http2";
import { type TestContext, test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { endingOf, framed, openCall, rawSession } from "#test/support/ca/raw-call";
import { deltaRequest, stateRequest } from "#test/support/xds/messages";
import { type DiscoveryDoor, openDiscoveryDoor } from "#test/support/xds/open-discovery-door";
import { adsPath, deltaAdsPath, deltaSecretPath, secretPath } from "#test/support/xds/scripted-stream";
import { createShelf, shelfUrl } from "#test/support/xds/shelf";

const ask = (...resourceNames: string[]) => stateRequest({ typeUrl: shelfUrl, resourceNames });
const detail = { code: 13, message: "before anything was sent" };
const many = Array.from({ length: 10_000 }, (_, i) => `secret-${i}`);

function session(t: TestContext, port: number): ClientHttp2Session {
  const opened = rawSession(port);
  t.after(() => opened.destroy());
  return opened;
}

/** Somebody else is served: at once, and at the next change. */
async function assertServes({ stream }: DiscoveryDoor, shelf: ReturnType<typeof createShelf>) {
  const client = stream(secretPath);
  client.send(ask("bystander"));
  const first = await client.next();
  const next = String(Number(first.version) + 1);
  shelf.put("bystander", next);
  assert.equal((await client.next()).resources[0]?.text, `bystander=${next}`);
  client.close();
}

/** What a client sends, by path, and how its stream ends: undefined, it goes on. */
const hostile: readonly (readonly [
  title: string,
  path: string,
  messages: readonly Uint8Array[],
  code: string | undefined,
])[] = [
  ["no node, and nothing else", secretPath, [stateRequest({})], undefined],
  ["an empty message", deltaSecretPath, [new Uint8Array()], undefined],
  [
    "error details before anything was sent",
    secretPath,
    [stateRequest({ errorDetail: detail, responseNonce: "1.1" })],
    undefined,
  ],
  [
    "the same of delta",
    deltaAdsPath,
    [deltaRequest({ typeUrl: shelfUrl, errorDetail: detail, responseNonce: "1.1" })],
    undefined,
  ],
  ["10,000 names", secretPath, [ask(...many)], undefined],
  ["9,999 names, of delta", deltaSecretPath, [deltaRequest({ resourceNamesSubscribe: many.slice(1) })], undefined],
  ["10,001 names", adsPath, [ask(...many, "one more")], "8"],
  [
    "names of 100 kB",
    secretPath,
    [ask(...Array.from({ length: 30 }, (_, i) => `${i}${"x".repeat(100_000)}`))],
    undefined,
  ],
  ["names that are no text", secretPath, [Buffer.from("1a02ffc01a0100", "hex")], undefined],
  [
    "a node that is no text, nested and cut off",
    secretPath,
    [Buffer.from("12050a03ff80c0" + "1203" + "1aff01", "hex")],
    undefined,
  ],
  ["an error detail that is garbage", secretPath, [Buffer.from("3203ffffff", "hex")], undefined],
  ["garbage", secretPath, [Buffer.from("ffffffffff", "hex")], "3"],
  ["a field that is cut off", deltaSecretPath, [Buffer.from("1a7f41", "hex")], "3"],
  ["another type", secretPath, [stateRequest({ typeUrl: "type.googleapis.com/envoy.config.cluster.v3.Cluster" })], "3"],
  ["no type on ADS", adsPath, [stateRequest({ resourceNames: ["a"] })], "3"],
  ["ten thousand requests at once", secretPath, Array.from({ length: 10_000 }, (_, i) => ask(`a${i % 7}`)), undefined],
  [
    "4 MiB of initial versions",
    deltaSecretPath,
    [
      deltaRequest({
        resourceNamesSubscribe: ["a"],
        initialResourceVersions: Object.fromEntries(many.slice(1).map((name) => [name, "v".repeat(380)])),
      }),
    ],
    undefined,
  ],
];

for (const [title, path, messages, code] of hostile)
  test(`${title}: ${code === undefined ? "the stream goes on" : `status ${code}`}, and others are served`, async (t) => {
    const shelf = createShelf({ bystander: "1", mine: "1" });
    const opened = await openDiscoveryDoor(t, shelf);
    const stream = openCall(session(t, opened.port), { ":path": path });
    const ending = endingOf(stream);
    for (const message of messages) stream.write(framed(message));
    await assertServes(opened, shelf);
    if (code !== undefined) {
      assert.equal((await ending).grpcStatus, code);
      return;
    }
    // The stream itself is served still.
    const wanted = path.includes("Delta")
      ? deltaRequest({ typeUrl: shelfUrl, resourceNamesSubscribe: ["mine"] })
      : stateRequest({ typeUrl: shelfUrl, resourceNames: ["mine"] });
    const served = new Promise<void>((resolve) => {
      stream.on("data", (chunk: Buffer) => chunk.includes("mine=1") && resolve());
    });
    stream.write(framed(wanted));
    await Promise.race([served, ending]);
    stream.end();
    const { grpcStatus, body } = await ending;
    assert.equal(grpcStatus, "0");
    assert.ok(body.includes("mine=1"));
  });

test("clients that read nothing cost no more than one response each, however often it changes", async (t) => {
  const shelf = createShelf({ bystander: "1" });
  const large = "1".repeat(200_000);
  shelf.putQuietly("large", large);
  const opened = await openDiscoveryDoor(t, shelf);
  const slow = session(t, opened.port);
  const streams = Array.from({ length: 50 }, () => {
    const stream = openCall(slow, { ":path": secretPath });
    stream.on("response", () => stream.pause());
    stream.write(framed(ask("large")));
    return stream;
  });
  while (opened.discovery.status().filter(({ names }) => names[0]?.sent !== undefined).length < 50)
    await new Promise((resolve) => setImmediate(resolve));
  const begun = await memoryBytes();
  for (let i = 0; i < 100; i++) {
    shelf.put("large", `${i}${large}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
  await assertServes(opened, shelf);
  const grown = (await memoryBytes()) - begun;
  assert.ok(grown < 30e6, `${grown} bytes for what 50 slow clients were not sent, of 1 GB`);
  // One that reads again gets the newest, and nothing in between.
  const [first] = streams;
  const chunks: Buffer[] = [];
  first!.on("data", (chunk: Buffer) => chunks.push(chunk));
  first!.resume();
  first!.end();
  await endingOf(first!);
  const seen =
    Buffer.concat(chunks)
      .toString("latin1")
      .match(/large=\d{1,3}1{20}/g) ?? [];
  assert.ok(seen.length <= 2, `${seen.length} responses`);
});

test("1,000 streams that are opened and dropped leave nothing behind, and hinder nobody", async (t) => {
  const shelf = createShelf({ bystander: "1", a: "1" });
  const opened = await openDiscoveryDoor(t, shelf);
  const round = async () => {
    const sessions = Array.from({ length: 20 }, () => session(t, opened.port));
    const streams = sessions.flatMap((each) =>
      Array.from({ length: 50 }, () => {
        const stream = openCall(each, { ":path": secretPath });
        stream.write(framed(ask("a", ...many.slice(0, 20))));
        return stream;
      }),
    );
    while (opened.discovery.status().length < 1_000) await new Promise((resolve) => setImmediate(resolve));
    shelf.put("a", String(Math.random()));
    await assertServes(opened, shelf);
    for (const [i, stream] of streams.entries()) if (i % 2 === 0) stream.close(8);
    for (const each of sessions) each.destroy();
    while (opened.discovery.status().length > 0) await new Promise((resolve) => setImmediate(resolve));
    assert.equal(shelf.listeners.size, 0);
  };
  await round();
  const begun = await memoryBytes();
  for (let i = 0; i < 4; i++) await round();
  const grown = (await memoryBytes()) - begun;
  assert.ok(grown < 20e6, `${grown} bytes after 4,000 streams`);
  await assertServes(opened, shelf);
});

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

/** What is in use: memory of buffers goes some time after the last reference to it. */
async function memoryBytes(): Promise<number> {
  for (let i = 0; i < 5; i++) {
    collect();
    await new Promise((resolve) => setImmediate(resolve));
  }
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
