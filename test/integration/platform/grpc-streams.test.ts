import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { defaultDoorLimits } from "#platform/door/door";
import { grpcCodes } from "#platform/grpc/codes";
import type { StreamCall, StreamHandler, StreamMethod } from "#platform/grpc/contract";
import { openChannel } from "#platform/grpc/open-channel";
import { endingOf, framed, openCall, pinged, rawSession } from "#test/support/ca/raw-call";
import { type FollowedStream, followStream } from "#test/support/grpc/follow-stream";
import { type OpenGrpcDoor, openGrpcDoor } from "#test/support/grpc/open-door";
import { createFakeTime } from "#test/support/keys/fake-time";
import { until } from "#test/support/until";

const path = "/test.Echo/Stream";
const bytes = (text: string) => new TextEncoder().encode(text);
const text = (message: Uint8Array) => new TextDecoder().decode(message);

/** A method that answers each message with itself, and tells what happened to its calls. */
function echo(over: (call: StreamCall) => Partial<StreamHandler> = () => ({})) {
  const events: string[] = [];
  const calls: StreamCall[] = [];
  const method: StreamMethod = (call) => {
    calls.push(call);
    events.push("begun");
    return {
      message: (message) => void call.send(message),
      finished() {
        events.push("finished");
        call.end({ code: grpcCodes.ok, message: "" });
      },
      drained: () => void events.push("drained"),
      closed: () => void events.push("closed"),
      ...over(call),
    };
  };
  return { events, calls, methods: { streams: new Map([[path, method]]) } };
}

function channelTo(t: TestContext, { door }: OpenGrpcDoor) {
  const channel = openChannel({ address: door.address, tls: undefined, keepaliveMillis: 60_000 });
  t.after(() => channel.close());
  return channel;
}

function sessionTo(t: TestContext, { port }: OpenGrpcDoor) {
  const session = rawSession(port);
  t.after(() => session.destroy());
  return session;
}

test("messages of any size go both ways, in their order", async (t) => {
  const { methods, events } = echo();
  const stream = followStream(channelTo(t, await openGrpcDoor(t, methods)), path);
  const sizes = [0, 1, 16_384, 70_000, 4 * 1024 * 1024, 3];
  for (const size of sizes) stream.send(new Uint8Array(size).fill(size % 251));
  for (const size of sizes) {
    const message = await stream.next();
    assert.ok(Buffer.from(message).equals(Buffer.alloc(size, size % 251)), `${size}`);
  }
  stream.cancel();
  assert.equal((await stream.ended).code, 1);
  await until(() => events.includes("closed"));
});

test("who sends no more is told the end, and gets the status after the messages", async (t) => {
  const { methods, events } = echo();
  const stream = openCall(sessionTo(t, await openGrpcDoor(t, methods)), { ":path": path });
  stream.end(Buffer.concat([framed(bytes("a")), framed(bytes("bc"))]));
  const ending = await endingOf(stream);
  assert.deepEqual([ending.grpcStatus, ending.reset], ["0", 0]);
  assert.equal(ending.body.toString("hex"), "000000000161" + "00000000026263");
  assert.deepEqual(events, ["begun", "finished", "closed"]);
});

test("a client that is still sending gets the status with what was sent before, and a reset that is no fault", async (t) => {
  const { methods } = echo((call) => ({
    message(message) {
      call.send(message);
      call.end({ code: grpcCodes.permissionDenied, message: "no more\nfor you" });
      assert.ok(call.send(message));
    },
  }));
  const opened = await openGrpcDoor(t, methods);
  const stream = openCall(sessionTo(t, opened), { ":path": path });
  stream.write(framed(bytes("a")));
  const { grpcStatus, grpcMessage, body, reset } = await endingOf(stream);
  assert.deepEqual([grpcStatus, grpcMessage, body.length, reset], ["7", "no more%0Afor you", 6, 0]);
  const ours = followStream(channelTo(t, opened), path);
  ours.send(bytes("b"));
  assert.equal(text(await ours.next()), "b");
  assert.deepEqual(await ours.ended, { code: 7, message: "no more for you" });
});

test("a call that ends before it began has headers alone", async (t) => {
  const { methods, events } = echo((call) => {
    call.end({ code: grpcCodes.unauthenticated, message: "who?" });
    return {};
  });
  const opened = await openGrpcDoor(t, methods);
  const stream = openCall(sessionTo(t, opened), { ":path": path });
  const [headers] = (await once(stream, "response")) as [Record<string, string>];
  assert.equal(headers["grpc-status"], "16");
  await endingOf(stream);
  assert.deepEqual(events, ["begun", "closed"]);
});

test("headers come before there is anything to send", async (t) => {
  const { methods } = echo();
  const stream = openCall(sessionTo(t, await openGrpcDoor(t, methods)), { ":path": path });
  const [headers] = (await once(stream, "response")) as [Record<string, string | number>];
  assert.deepEqual([headers[":status"], headers["grpc-status"]], [200, undefined]);
});

/** What is no message, and how its call ends. */
const refused: readonly (readonly [
  title: string,
  body: Buffer,
  ends: boolean,
  status: string,
  requestMillis?: number,
])[] = [
  ["a compressed message", Buffer.from("0100000001aa", "hex"), false, "12"],
  ["a message of 4 MiB and a byte", Buffer.from("0000400001", "hex"), false, "8"],
  ["a message that is cut off", Buffer.from("000000000501", "hex"), true, "3"],
  ["a message that does not come to its end", Buffer.from("000000000501", "hex"), false, "14", 50],
];
for (const [title, body, ends, status, requestMillis = 60_000] of refused)
  test(`${title} ends its call alone`, async (t) => {
    const { methods, events } = echo();
    const session = sessionTo(t, await openGrpcDoor(t, methods, { limits: { requestMillis } }));
    const other = openCall(session, { ":path": path });
    const stream = openCall(session, { ":path": path });
    if (ends) stream.end(body);
    else stream.write(body);
    assert.equal((await endingOf(stream)).grpcStatus, status);
    assert.equal(events.filter((event) => event === "closed").length, 1);
    const echoed = once(other, "data");
    other.write(framed(bytes("a")));
    assert.equal(((await echoed) as [Buffer])[0].length, 6);
  });

test("a stream without messages has no end of its own", async (t) => {
  const time = createFakeTime();
  const { methods } = echo();
  const session = sessionTo(t, await openGrpcDoor(t, methods, { timers: time }));
  const stream = openCall(session, { ":path": path });
  const silent = openCall(session, { ":path": path });
  const say = async (message: string) => {
    const echoed = once(stream, "data");
    stream.write(framed(bytes(message)));
    assert.deepEqual(((await echoed) as [Buffer])[0], framed(bytes(message)));
  };
  await say("a");
  // Several of the times that a unary call and a connection that does not answer have.
  for (let i = 0; i < 10; i++) {
    const asked = once(session, "ping");
    await time.advance(defaultDoorLimits.keepaliveMillis);
    await asked;
    await pinged(session);
  }
  await say("b");
  assert.ok(!silent.closed);
});

test("a message that came in two parts leaves no time behind that could run out", async (t) => {
  const time = createFakeTime();
  const { methods } = echo();
  const session = sessionTo(t, await openGrpcDoor(t, methods, { timers: time }));
  const [stream, halved] = [openCall(session, { ":path": path }), openCall(session, { ":path": path })];
  const ending = endingOf(halved);
  const whole = framed(bytes("ab"));
  for (const each of [stream, halved]) each.write(whole.subarray(0, 3));
  await pinged(session);
  await time.advance(defaultDoorLimits.requestMillis - 1);
  const echoed = once(stream, "data");
  stream.write(whole.subarray(3));
  assert.deepEqual(((await echoed) as [Buffer])[0], whole);
  await time.advance(1);
  assert.equal((await ending).grpcStatus, "14", "the time of one that came half is over");
  await time.advance(defaultDoorLimits.requestMillis);
  await pinged(session);
  assert.ok(!stream.closed);
});

test("a connection whose only call is an open stream is not idle", async (t) => {
  const { methods } = echo();
  const opened = await openGrpcDoor(t, methods, { limits: { idleConnections: 1 } });
  const streams: FollowedStream[] = [];
  for (let i = 0; i < 5; i++) {
    const stream = followStream(channelTo(t, opened), path);
    stream.send(bytes("a"));
    await stream.next();
    streams.push(stream);
  }
  for (const stream of streams) {
    stream.send(bytes("b"));
    assert.equal(text(await stream.next()), "b");
  }
});

test("messages that have begun take no more room than there is, and give it back", async (t) => {
  const { methods, events } = echo();
  const opened = await openGrpcDoor(t, methods, { limits: { callBytes: 512 * 1024 } });
  const session = sessionTo(t, opened);
  const begin = Buffer.alloc(60 * 1024);
  begin.writeUInt32BE(1024 * 1024, 1);
  const streams = Array.from({ length: 20 }, () => openCall(session, { ":path": path }));
  const endings = streams.map(endingOf);
  for (const stream of streams) stream.write(begin);
  const first = await Promise.race(endings);
  assert.equal(first.grpcStatus, "8");
  session.destroy();
  await Promise.all(endings);
  await until(() => events.filter((event) => event === "closed").length === 20);
  const after = followStream(channelTo(t, opened), path);
  after.send(new Uint8Array(200 * 1024));
  assert.equal((await after.next()).length, 200 * 1024);
});

test("who reads nothing is told of by `send`, and `drained` tells when it reads again", async (t) => {
  const { methods, calls, events } = echo();
  const session = sessionTo(t, await openGrpcDoor(t, methods));
  const stream = openCall(session, { ":path": path });
  await until(() => calls.length === 1);
  let sent = 0;
  while (calls[0]!.send(new Uint8Array(10_000))) sent++;
  assert.ok(sent < 100, `${sent} messages went`);
  assert.ok(!events.includes("drained"));
  stream.resume();
  await until(() => events.includes("drained"));
  assert.equal(calls[0]!.send(new Uint8Array(1)), true);
});

test("a client that reads nothing does not keep a call that has ended", async (t) => {
  const { methods, calls } = echo();
  const session = sessionTo(t, await openGrpcDoor(t, methods, { limits: { requestMillis: 50 } }));
  const stream = openCall(session, { ":path": path });
  stream.on("response", () => stream.pause());
  await until(() => calls.length === 1);
  calls[0]!.send(new Uint8Array(1_000_000));
  calls[0]!.end({ code: grpcCodes.ok, message: "" });
  await new Promise((resolve) => stream.once("close", resolve));
  assert.equal(stream.rstCode, 8);
});

const throwing = ["begin", "message", "finished", "closed"] as const;
for (const verb of throwing)
  test(`a handler that throws in ${verb} ends its call alone, and its reason is in the log alone`, async (t) => {
    const fail = () => {
      throw new Error("the secret reason");
    };
    const { methods, events } = echo(({ headers }) => {
      if (headers("x-fail").length === 0) return {};
      return verb === "begin" ? fail() : { [verb]: fail };
    });
    const opened = await openGrpcDoor(t, methods);
    const session = sessionTo(t, opened);
    const other = openCall(session, { ":path": path });
    const stream = openCall(session, { ":path": path, "x-fail": "1" });
    stream.end(framed(bytes("a")));
    const { grpcStatus, grpcMessage } = await endingOf(stream);
    assert.deepEqual([grpcStatus, grpcMessage], verb === "closed" ? ["0", ""] : ["13", "the call failed"]);
    assert.match(opened.logged(), /the secret reason.*grpc-streams\.test\.ts/);
    assert.equal(
      events.filter((event) => event === "closed").length,
      verb === "message" || verb === "finished" ? 1 : 0,
    );
    other.end(framed(bytes("b")));
    assert.equal((await endingOf(other)).grpcStatus, "0");
  });

test("a door that stops ends its streams with UNAVAILABLE, at once", async (t) => {
  const { methods, events } = echo();
  const opened = await openGrpcDoor(t, methods);
  const channel = channelTo(t, opened);
  const streams = Array.from({ length: 3 }, () => followStream(channel, path));
  for (const stream of streams) {
    stream.send(bytes("a"));
    await stream.next();
  }
  const stopped = opened.door.stop(new AbortController().signal);
  for (const { ended } of streams) assert.deepEqual(await ended, { code: 14, message: "the server stops" });
  channel.close();
  await stopped;
  assert.equal(events.filter((event) => event === "closed").length, 3);
});

test("a socket has the mode that it is given, and else is its owner's alone", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "garita-grpc-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  for (const [name, mode] of [
    ["a", undefined],
    ["b", 0o660],
  ] as const) {
    const address = { kind: "unix", path: join(folder, name) } as const;
    const { methods, calls } = echo();
    const opened = await openGrpcDoor(t, methods, { address, ...(mode !== undefined && { socketMode: mode }) });
    assert.equal(statSync(address.path).mode & 0o777, mode ?? 0o600);
    const stream = followStream(channelTo(t, opened), path);
    stream.send(bytes("a"));
    assert.equal(text(await stream.next()), "a");
    assert.equal(calls[0]!.connection.unixSocket, true);
  }
});
