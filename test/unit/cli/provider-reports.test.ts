import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { test } from "node:test";
import type { ProviderStatus } from "#authz/custom/contract";
import { createProviderReports, providerWarnings } from "#cli/serve/provider-reports";
import { createLog } from "#platform/log";
import { createMetrics } from "#platform/metrics";

const failing: ProviderStatus = {
  name: "opa",
  target: "grpc://opa:9 (127.0.0.1:9)",
  lastFault: { message: "no answer in time", atMillis: 1 },
  failing: true,
  failOpen: true,
};

test("failures are counted by provider and outcome, for a bounded number of names", async () => {
  const metrics = createMetrics();
  const { onFailure } = createProviderReports(metrics, createLog({ level: "info", stream: new PassThrough() }).log);
  for (let i = 0; i < 300; i++) onFailure(`p${i}`, "refused");
  onFailure("p0", "failed_open");
  const { text } = await metrics.render();
  assert.match(text, /^garita_provider_failures_total\{provider="p0",outcome="failed_open"\} 1$/m);
  assert.match(text, /^garita_provider_failures_total\{provider="p199",outcome="refused"\} 1$/m);
  assert.match(text, /^garita_provider_failures_total\{provider="other",outcome="refused"\} 100$/m);
});

test("a provider that fails is a warning while it does, which says what becomes of requests", () => {
  assert.deepEqual(providerWarnings([failing]), [
    "provider opa: the last question failed (no answer in time), requests pass without it (failOpen)",
  ]);
  assert.match(providerWarnings([{ ...failing, failOpen: false }])[0]!, /its requests are refused$/);
  assert.deepEqual(providerWarnings([{ ...failing, failing: false }]), []);
});

test("one line when it begins to fail and one when it answers again", () => {
  const stream = new PassThrough();
  const { onTurn } = createProviderReports(createMetrics(), createLog({ level: "info", stream }).log);
  onTurn(failing, "no answer in time");
  onTurn({ ...failing, failing: false }, undefined);
  const [down, up] = String(stream.read()).trim().split("\n");
  assert.match(
    down!,
    /"level":"warn".*"provider":"opa".*"reason":"no answer in time","failOpen":true.*does not answer"/,
  );
  assert.match(up!, /"level":"info".*"provider":"opa".*answers again"/);
});
