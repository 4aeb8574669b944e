import assert from "node:assert/strict";
import { test } from "node:test";
import type { BundleStream } from "#ca/rotation/contract";
import { streamsStatus } from "#ca/service/streams-status";
import { fakeStream } from "#test/support/ca/fake-authority";
import type { StreamStatus } from "#xds/contract";

const quiet = (id: number): StreamStatus => ({ ...fakeStream, id, names: [] });
const rejecting = (id: number): StreamStatus => ({ ...fakeStream, id });
const taker = (acknowledged: string | undefined): BundleStream => ({
  spiffeId: "spiffe://td/a",
  fingerprint: undefined,
  node: "",
  acknowledged,
  rejected: undefined,
});

test("streams that reject something come first, each part in its order, and no more than 500 are listed", () => {
  const few = streamsStatus([quiet(1), rejecting(2), quiet(3), rejecting(4)], [], "v");
  assert.deepEqual(
    few.listed.map(({ id }) => id),
    [2, 4, 1, 3],
  );
  const streams = [...Array.from({ length: 1_000 }, (_, i) => quiet(i)), rejecting(1_000)];
  const many = streamsStatus(streams, [], "v");
  assert.deepEqual([many.open, many.listed.length, many.listed[0]?.id, many.listed[1]?.id], [1_001, 500, 1_000, 0]);
});

test("who has the bundle is who has acknowledged this very version", () => {
  const { bundle } = streamsStatus([], [taker("v1"), taker("v2"), taker(undefined), taker("v2")], "v2");
  assert.deepEqual(bundle, { taken: 4, acknowledged: 2 });
});
