import assert from "node:assert/strict";
import { test } from "node:test";
import { frame, readFrame, trailers } from "#platform/grpc/wire";

test("a framed message is read back", () => {
  for (const sizeBytes of [0, 1, 255, 256, 65_536]) {
    const message = Uint8Array.from({ length: sizeBytes }, (_, i) => i % 251);
    const read = readFrame(frame(message));
    assert.ok(read.ok);
    assert.deepEqual(new Uint8Array(read.message), message);
  }
});

test("every other body is refused", () => {
  const whole = frame(new Uint8Array(10));
  const compressed = Buffer.from(whole);
  compressed[0] = 1;
  const cases: readonly (readonly [Buffer, number])[] = [
    [Buffer.alloc(0), 3],
    [whole.subarray(0, 4), 3],
    [whole.subarray(0, 14), 3],
    [Buffer.concat([whole, Buffer.alloc(1)]), 3],
    [Buffer.concat([whole, whole]), 3],
    [Buffer.from("00ffffffff", "hex"), 3],
    [compressed, 12],
  ];
  for (const [body, code] of cases) {
    const read = readFrame(body);
    assert.ok(!read.ok);
    assert.equal(read.code, code, body.toString("hex"));
  }
});

test("a status is written as gRPC's protocol has it", () => {
  assert.deepEqual(trailers({ code: 3, message: "a b%ü\r\n~" }), {
    "grpc-status": "3",
    "grpc-message": "a b%25%C3%BC%0D%0A~",
  });
  assert.deepEqual(trailers({ code: 8, message: "", details: new Uint8Array([1]) }), {
    "grpc-status": "8",
    "grpc-message": "",
    "grpc-status-details-bin": "AQ",
  });
});
