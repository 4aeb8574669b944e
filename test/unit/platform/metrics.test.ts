import assert from "node:assert/strict";
import { test } from "node:test";
import { createMetrics } from "#platform/metrics";

test("counters, gauges and histograms are rendered in the Prometheus text format", async () => {
  const metrics = createMetrics();
  const counter = metrics.counter({ name: "t_total", help: "A counter.", labels: ["a", "b"] });
  counter.with("x", "y").value += 2;
  counter.with("x", 'q"\\').value++;
  metrics.gauge({ name: "t_gauge", help: "A gauge.", labels: [], read: () => [[[], 7]] });
  const histogram = metrics.histogram({ name: "t_seconds", help: "A histogram.", labels: ["l"], bounds: [0.1, 1] });
  for (const value of [0.1, 0.2, 1, 5]) histogram.with("v").observe(value);
  const { contentType, text } = await metrics.render();
  assert.match(contentType, /^text\/plain; version=0\.0\.4/);
  const own = text.split("\n").filter((line) => line.startsWith("t_"));
  assert.deepEqual(own, [
    't_total{a="x",b="y"} 2',
    't_total{a="x",b="q\\"\\\\"} 1',
    "t_gauge 7",
    't_seconds_bucket{l="v",le="0.1"} 1',
    't_seconds_bucket{l="v",le="1"} 3',
    't_seconds_bucket{l="v",le="+Inf"} 4',
    't_seconds_sum{l="v"} 6.3',
    't_seconds_count{l="v"} 4',
  ]);
  assert.match(text, /^# TYPE t_seconds histogram$/m);
  assert.match(text, /^nodejs_version_info/m);
});

test("a series is the same object each time, and a second rendering tells the newest values", async () => {
  const metrics = createMetrics();
  const counter = metrics.counter({ name: "t_total", help: "A counter.", labels: ["a"] });
  assert.equal(counter.with("x"), counter.with("x"));
  counter.with("x").value++;
  await metrics.render();
  counter.with("x").value++;
  assert.match((await metrics.render()).text, /^t_total\{a="x"\} 2$/m);
});
