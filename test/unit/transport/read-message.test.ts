import assert from "node:assert/strict";
import type { ServerHttp2Stream } from "node:http2";
import { PassThrough } from "node:stream";
import { type TestContext, test } from "node:test";
import { type ReceivedMessage, readMessage } from "#authz/transport/grpc/read-message";
import { type CallRoom, createCallRoom } from "#platform/grpc/call-room";
import { frame } from "#platform/grpc/wire";
import { settle } from "#test/support/keys/fake-time";

/** A stream without a connection, and what was read of it. */
function open(t: TestContext, room: CallRoom) {
  const stream = new PassThrough();
  t.after(() => stream.destroy());
  const received: ReceivedMessage[] = [];
  readMessage(stream as unknown as ServerHttp2Stream, undefined, room, (each) => void received.push(each));
  const write = async (bytes: Uint8Array) => {
    stream.write(bytes);
    await settle();
  };
  const told = () => received.map((each) => (each.ok ? each.message.length : `${each.reason}: ${each.detail}`));
  return { stream, write, told };
}

test("a message that begins and does not end is denied when its time is over, and one that ends is not", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const room = createCallRoom(1000);
  const [slow, whole] = [open(t, room), open(t, room)];
  const body = frame(new Uint8Array(30));
  for (const { write } of [slow, whole]) {
    await write(body.subarray(0, 10));
    await write(body.subarray(10, 20));
  }
  whole.stream.end(body.subarray(20));
  await settle();
  t.mock.timers.tick(14_999);
  assert.deepEqual([slow.told(), whole.told()], [[], [30]]);
  t.mock.timers.tick(1);
  assert.deepEqual([slow.told(), whole.told()], [["request/unreadable: the message did not arrive in time"], [30]]);
});

test("messages in several pieces share their room: who finds none is denied, and what goes makes room", async (t) => {
  const room = createCallRoom(250);
  const body = frame(new Uint8Array(195));
  const first = open(t, room);
  const second = open(t, room);
  for (const { write } of [first, second]) {
    await write(body.subarray(0, 100));
    await write(body.subarray(100, 150));
  }
  assert.deepEqual(
    [first.told(), second.told()],
    [[], ["request/too-large: too many messages are on their way at once"]],
  );
  const alone = open(t, room);
  alone.stream.end(body);
  await settle();
  assert.deepEqual(alone.told(), [195]);
  first.stream.destroy();
  await settle();
  assert.equal(room.take(250), true);
});
