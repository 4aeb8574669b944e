import assert from "node:assert/strict";
import { test } from "node:test";
import { recordLog } from "#test/support/ca/record-log";
import { createFakeTime, settle } from "#test/support/keys/fake-time";
import { openMemoryChannel } from "#test/support/xds/memory-channel";
import { deltaResponse } from "#test/support/xds/messages";
import { deltaSecretPath, scriptDiscovery } from "#test/support/xds/scripted-stream";
import { createShelf, type Shelf, shelfUrl } from "#test/support/xds/shelf";
import { type Acknowledgement, type FollowDeltaStart, followDelta } from "#xds/client/follow-delta";
import type { DeltaUpdate } from "#xds/contract";

interface Heard {
  readonly text: string;
  readonly update: DeltaUpdate;
  readonly acknowledgement: Acknowledgement;
}

/** A follower of these names, and the server that it follows. */
function follow(shelf: Shelf, changes: Partial<FollowDeltaStart> = {}) {
  const { discovery, turn } = scriptDiscovery({ types: [shelf] });
  const channel = openMemoryChannel(discovery.streams);
  const time = createFakeTime();
  const { log, lines } = recordLog();
  const heard: Heard[] = [];
  const connections: string[] = [];
  const follower = followDelta({
    channel,
    path: deltaSecretPath,
    typeUrl: shelfUrl,
    names: ["a", "b"],
    node: "agent-7",
    initialVersions: new Map(),
    timers: time,
    chance: () => 1,
    log,
    onUpdate: (update, acknowledgement) => {
      const text = [
        ...update.resources.map(({ name, version }) => `${name}=${version}`),
        ...update.removed.map((name) => `-${name}`),
      ];
      heard.push({ text: text.join(" "), update, acknowledgement });
    },
    onConnected: () => void connections.push("connected"),
    onDisconnected: ({ code }) => void connections.push(`disconnected ${code}`),
    ...changes,
  });
  return {
    follower,
    channel,
    time,
    lines,
    connections,
    status: discovery.status,
    /** Lets everything arrive, and returns what was heard. */
    async heard(): Promise<readonly Heard[]> {
      for (let i = 0; i < 4; i++) {
        await settle();
        turn();
      }
      return heard.splice(0);
    },
  };
}

const texts = (heard: readonly Heard[]) => heard.map(({ text }) => text);

test("updates come as they are made, and what is told of each reaches the server", async () => {
  const shelf = createShelf({ a: "1" });
  const { heard, status, connections } = follow(shelf);
  const [first, second] = await heard();
  assert.deepEqual([first?.text, second?.text], ["a=1", "-b"]);
  assert.deepEqual(first?.update.resources[0]?.body, new TextEncoder().encode("a=1"));
  first!.acknowledgement.accept();
  second!.acknowledgement.accept();
  shelf.put("b", "1");
  const [third] = await heard();
  assert.equal(third?.text, "b=1");
  third!.acknowledgement.reject("no\nkey");
  await heard();
  assert.deepEqual(shelf.events, ["acknowledged a=1", "rejected b=1: no key"]);
  assert.equal(status()[0]?.node, "agent-7");
  assert.deepEqual(connections, ["connected"]);
});

test("an acknowledgement may come late, after newer updates, and counts once", async () => {
  const shelf = createShelf({ a: "1", b: "1" });
  const { heard } = follow(shelf, { names: ["a"] });
  const [first] = await heard();
  shelf.put("a", "2");
  const [second] = await heard();
  first!.acknowledgement.accept();
  first!.acknowledgement.accept();
  first!.acknowledgement.reject("too late");
  second!.acknowledgement.accept();
  await heard();
  assert.deepEqual(shelf.events, ["acknowledged a=1", "acknowledged a=2"]);
});

test("after a new connection what was accepted is not sent again, and all else is", async () => {
  const shelf = createShelf({ a: "1", b: "1" });
  const { heard, channel, time, connections, status } = follow(shelf);
  const [a, b] = await heard();
  a!.acknowledgement.accept();
  await heard();
  channel.breakOff();
  await heard();
  shelf.put("a", "1");
  channel.mend();
  await time.advance(500);
  const again = await heard();
  assert.deepEqual(texts(again), ["b=1"]);
  // Of the broken stream: nobody hears of it.
  b!.acknowledgement.accept();
  again[0]!.acknowledgement.accept();
  await heard();
  assert.deepEqual(shelf.events, ["acknowledged a=1", "acknowledged a=1", "acknowledged b=1"]);
  assert.deepEqual(connections, ["connected", "disconnected 14", "connected"]);
  assert.deepEqual(
    status()[0]?.names.map(({ name, acknowledged }) => [name, acknowledged]),
    [
      ["a", "1"],
      ["b", "1"],
    ],
  );
});

test("what is held from before is not sent, and what is gone meanwhile is told", async () => {
  const shelf = createShelf({ a: "1" });
  const initialVersions = new Map([
    ["a", "1"],
    ["b", "1"],
  ]);
  const { heard } = follow(shelf, { initialVersions });
  assert.deepEqual(texts(await heard()), ["-b"]);
  assert.deepEqual(shelf.events, ["acknowledged a=1"]);
});

test("an older update that is accepted after a newer one does not take its place", async () => {
  const shelf = createShelf({ a: "1" });
  const { heard, channel, time } = follow(shelf, { names: ["a"] });
  const [first] = await heard();
  shelf.put("a", "2");
  const [second] = await heard();
  second!.acknowledgement.accept();
  first!.acknowledgement.accept();
  channel.breakOff();
  await heard();
  channel.mend();
  await time.advance(500);
  assert.deepEqual(await heard(), []);
});

test("it is tried again less and less often, with jitter, and after a good stream at once", async () => {
  const shelf = createShelf({ a: "1" });
  const { heard, channel, time, connections } = follow(shelf, { names: ["a"] });
  await heard();
  channel.breakOff();
  await heard();
  const waits: number[] = [];
  for (let i = 0; i < 8; i++) {
    const before = channel.opened();
    let waited = 0;
    while (channel.opened() === before) {
      await time.advance(50);
      waited += 50;
    }
    await heard();
    waits.push(waited);
  }
  assert.deepEqual(waits, [500, 1_000, 2_000, 4_000, 8_000, 15_000, 15_000, 15_000]);
  channel.mend();
  await time.advance(20_000);
  await heard();
  assert.equal(connections.at(-1), "connected");
  await time.advance(10_000);
  channel.breakOff();
  channel.mend();
  await heard();
  const before = channel.opened();
  await time.advance(500);
  assert.equal(channel.opened(), before + 1);
});

test("of a thousand clients none waits for less than a third of the time", async () => {
  const { heard, channel, time } = follow(createShelf({ a: "1" }), { chance: () => 0 });
  await heard();
  channel.breakOff();
  await heard();
  await time.advance(166);
  assert.equal(channel.opened(), 1);
  await time.advance(1);
  assert.equal(channel.opened(), 2);
});

test("an update that cannot be used is rejected, in general words", async () => {
  const shelf = createShelf({ a: "1" });
  const { heard, lines } = follow(shelf, {
    names: ["a"],
    onUpdate() {
      throw new Error("the secret reason");
    },
  });
  await heard();
  assert.deepEqual(shelf.events, ["rejected a=1: the update could not be used"]);
  assert.match(JSON.stringify(lines), /the secret reason/);
});

test("resources of another type are rejected", async () => {
  const shelf = createShelf({ a: "1" });
  const { heard, channel } = follow(shelf, { names: ["a"] });
  const resource = { typeUrl: "type.googleapis.com/test.Other", value: new Uint8Array() };
  channel.garble(
    deltaResponse({ typeUrl: shelfUrl, nonce: "1.1", resources: [{ name: "a", version: "1", resource }] }),
  );
  assert.deepEqual(await heard(), []);
  assert.deepEqual(shelf.events, ["rejected a=1: this is no type.googleapis.com/test.Resource"]);
});

test("what is no response ends the stream, and it is begun again", async () => {
  const shelf = createShelf({ a: "1" });
  const { heard, channel, time, connections, lines } = follow(shelf, { names: ["a"] });
  channel.garble(Buffer.from("12ff", "hex"));
  assert.deepEqual(await heard(), []);
  assert.equal(lines.length, 1);
  await time.advance(500);
  assert.deepEqual(texts(await heard()), ["a=1"]);
  assert.deepEqual(connections, ["connected", "disconnected 1", "connected"]);
});

test("once it is closed nothing is heard and nothing sent", async () => {
  const shelf = createShelf({ a: "1" });
  const { heard, follower, channel, time, connections } = follow(shelf, { names: ["a"] });
  const [first] = await heard();
  follower.close();
  follower.close();
  first!.acknowledgement.accept();
  shelf.put("a", "2");
  assert.deepEqual(await heard(), []);
  await time.advance(60_000);
  assert.deepEqual([channel.opened(), connections, shelf.events, time.pending()], [1, ["connected"], [], 0]);
});
