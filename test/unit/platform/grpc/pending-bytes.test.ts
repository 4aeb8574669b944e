import assert from "node:assert/strict";
import { test } from "node:test";
import { createCallRoom } from "#platform/grpc/call-room";
import { PendingBytes } from "#platform/grpc/pending-bytes";
import { frame, readNextFrame } from "#platform/grpc/wire";
import { Random, testSeed } from "#test/support/random";

/** A room that tells what is taken of it. */
function countedRoom(limitBytes: number) {
  const room = createCallRoom(limitBytes);
  let takenBytes = 0;
  return {
    takenBytes: () => takenBytes,
    take(sizeBytes: number) {
      const taken = room.take(sizeBytes);
      if (taken) takenBytes += sizeBytes;
      return taken;
    },
    giveBack(sizeBytes: number) {
      takenBytes -= sizeBytes;
      room.giveBack(sizeBytes);
    },
  };
}

test("messages come out as they went in, however they were cut, and all room is given back", () => {
  const random = new Random(testSeed("frames"));
  for (let round = 0; round < 300; round++) {
    const messages = Array.from({ length: 1 + random.below(6) }, () =>
      Uint8Array.from({ length: random.pick([0, 1, 5, 300, 5_000]) }, () => random.below(256)),
    );
    const room = countedRoom(1 << 20);
    const pending = new PendingBytes(room);
    const seen: Uint8Array[] = [];
    let rest = Buffer.concat(messages.map(frame));
    while (rest.length > 0) {
      const chunk = rest.subarray(0, 1 + random.below(random.pick([3, 100, 10_000])));
      rest = rest.subarray(chunk.length);
      assert.ok(pending.append(chunk));
      for (let next = readNextFrame(pending.bytes, 5_000); next?.ok; next = readNextFrame(pending.bytes, 5_000)) {
        seen.push(next.message);
        pending.drop(next.sizeBytes);
      }
    }
    assert.deepEqual(seen, messages);
    assert.deepEqual([pending.sizeBytes, room.takenBytes()], [0, 0]);
  }
});

test("a message that comes byte by byte takes little more room than its bytes", () => {
  const room = countedRoom(1 << 20);
  const pending = new PendingBytes(room);
  for (let i = 0; i < 10_000; i++) assert.ok(pending.append(Uint8Array.of(i)));
  assert.ok(room.takenBytes() <= 20_000, `${room.takenBytes()}`);
  pending.clear();
  assert.equal(room.takenBytes(), 0);
});

test("beyond the room nothing is added, and what is there stays", () => {
  const room = countedRoom(100);
  const pending = new PendingBytes(room);
  assert.ok(pending.append(new Uint8Array(60)));
  assert.ok(!pending.append(new Uint8Array(41)));
  assert.equal(pending.sizeBytes, 60);
  assert.equal(room.takenBytes(), 60);
});

test("the next message is read when it is complete, and refused when it may not be", () => {
  const whole = frame(Uint8Array.of(1, 2, 3));
  const compressed = Buffer.from(whole);
  compressed[0] = 1;
  const cases: readonly (readonly [Buffer, "more" | "message" | number])[] = [
    [Buffer.alloc(0), "more"],
    [whole.subarray(0, 4), "more"],
    [whole.subarray(0, 7), "more"],
    [whole, "message"],
    [Buffer.concat([whole, compressed]), "message"],
    [compressed.subarray(0, 1), 12],
    [Buffer.from("0000000004", "hex"), 8],
    [Buffer.from("00ffffffff", "hex"), 8],
  ];
  for (const [bytes, expected] of cases) {
    const next = readNextFrame(bytes, 3);
    const seen = next === undefined ? "more" : next.ok ? "message" : next.code;
    assert.equal(seen, expected, bytes.toString("hex"));
  }
});
