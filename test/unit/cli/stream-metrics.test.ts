import assert from "node:assert/strict";
import { test } from "node:test";
import type { StreamsStatus } from "#ca/service/contract";
import { addStreamMetrics } from "#cli/serve/authority/stream-metrics";
import { createMetrics } from "#platform/metrics";
import { fakeStream } from "#test/support/ca/fake-authority";

/** What is scraped of the streams, after these events. */
async function scraped(
  status: StreamsStatus | undefined,
  names: readonly string[] = [],
  pushes: readonly number[] = [],
) {
  const metrics = createMetrics();
  const observe = addStreamMetrics(metrics, () => status);
  const said = { stream: fakeStream, version: "v1", message: undefined };
  for (const name of names) observe({ ...said, kind: "rejected", name }, undefined);
  for (const millis of pushes) observe({ ...said, kind: "acknowledged", name: "ROOTCA" }, millis);
  const { text } = await metrics.render();
  return text.split("\n").filter((line) => /^garita_(?:sds|ca)_/.test(line));
}

const status: StreamsStatus = { open: 3, bundle: { taken: 4, acknowledged: 3 }, listed: [] };

test("streams and the part that has the bundle are read; without streams for the bundle there is no part", async () => {
  const lines = await scraped(status);
  assert.ok(lines.includes("garita_ca_streams 3"));
  assert.ok(lines.includes("garita_sds_bundle_propagated_ratio 0.75"));
  const none = await scraped({ ...status, bundle: { taken: 0, acknowledged: 0 } });
  assert.ok(!none.some((line) => line.startsWith("garita_sds_bundle_propagated_ratio")));
  assert.ok(!(await scraped(undefined)).some((line) => line.startsWith("garita_ca_streams")));
});

test("rejections are counted by name, and of too many names the rest together", async () => {
  const names = Array.from({ length: 300 }, (_, i) => `spiffe://td/${i}`);
  const lines = await scraped(status, ["ROOTCA", "ROOTCA", ...names]);
  const counts = lines.filter((line) => line.startsWith("garita_sds_rejections_total"));
  assert.ok(counts.includes('garita_sds_rejections_total{name="ROOTCA"} 2'));
  assert.ok(counts.includes('garita_sds_rejections_total{name="other"} 101'));
  assert.equal(counts.length, 201);
});

test("pushes are a distribution in seconds", async () => {
  const lines = await scraped(status, [], [20, 40, 3_000]);
  for (const line of [
    'garita_sds_push_duration_seconds_bucket{le="0.025"} 1',
    'garita_sds_push_duration_seconds_bucket{le="0.05"} 2',
    'garita_sds_push_duration_seconds_bucket{le="+Inf"} 3',
    "garita_sds_push_duration_seconds_sum 3.06",
  ])
    assert.ok(lines.includes(line), line);
});
