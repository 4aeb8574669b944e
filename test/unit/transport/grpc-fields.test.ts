import assert from "node:assert/strict";
import { test } from "node:test";
import { FieldMetadata } from "#authz/transport/grpc/field-metadata";
import { readGrpcTimeout } from "#authz/transport/grpc/grpc-timeout";

test("metadata are the fields as they were sent, each by itself, binary ones left out", () => {
  const metadata = new FieldMetadata([
    ":path",
    "/a",
    "x-one",
    "[\u00ff, b]",
    "x-two",
    "[a]",
    "x-two",
    "[b]",
    "x-empty",
    "",
    "x-bin",
    "AQI",
  ]);
  assert.deepEqual(metadata.get("x-one"), ["[\u00ff, b]"]);
  assert.deepEqual(metadata.get("x-two"), ["[a]", "[b]"]);
  assert.deepEqual(metadata.get("x-empty"), [""]);
  assert.deepEqual(metadata.get("x-bin"), []);
  assert.deepEqual(metadata.get("x-none"), []);
  // A value is no name.
  assert.deepEqual(metadata.get("[a]"), []);
});

const timeouts: readonly (readonly [text: string | undefined, millis: number | undefined])[] = [
  ["200m", 200],
  ["10S", 10_000],
  ["100000S", 100_000_000],
  ["1M", 60_000],
  ["2H", 7_200_000],
  ["1500u", 1.5],
  ["1n", 1 / 1_000_000],
  ["0m", 0],
  ["99999999m", 99_999_999],
  [undefined, undefined],
  ["", undefined],
  ["m", undefined],
  ["100000000m", undefined],
  ["-1m", undefined],
  ["1.5S", undefined],
  ["1", undefined],
  ["1x", undefined],
  ["1 m", undefined],
  ["1m\n", undefined],
];

test("a timeout is one to eight digits and a unit, and nothing else is one", () => {
  for (const [text, millis] of timeouts) assert.equal(readGrpcTimeout(text), millis, JSON.stringify(text));
});
