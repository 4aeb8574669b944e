import assert from "node:assert/strict";
import { test } from "node:test";
import { readConfig } from "#cli/config/load";
import type { PreparedListener } from "#cli/serve/prepare-listener";
import { certificateWarnings } from "#cli/serve/served-certificates";
import { serviceWarnings } from "#cli/serve/warnings";
import type { TlsMaterial } from "#platform/tls-material";
import { listenerSettings } from "#test/support/service/listener-start";

const now = Date.UTC(2026, 0, 1);
const day = 24 * 3600 * 1000;

async function warningsOf(
  listener: string,
  more: { secret?: Uint8Array; tls?: Partial<TlsMaterial>; explainToClient?: boolean } = {},
  which = "protocol: http, workload: { workload: w }",
): Promise<string[]> {
  const text = `listeners: [{ name: a, ${which}, ${listener} }]\npolicies: { directory: p }\n`;
  const result = await readConfig(text, "/g", {});
  assert.ok(result.ok, JSON.stringify(result));
  const empty = Buffer.alloc(0);
  const certificate = { cert: empty, key: empty, notBeforeMillis: now, notAfterMillis: now + 30 * day };
  const whole = { ...certificate, ca: undefined, allowedClients: undefined };
  const prepared: PreparedListener = {
    config: result.config.listeners[0]!,
    settings: listenerSettings("http", { secret: more.secret, explainToClient: more.explainToClient ?? false }),
    tls: more.tls === undefined ? undefined : { ...whole, ...more.tls },
    frame: "",
  };
  return serviceWarnings([prepared]);
}

const secret = new Uint8Array([1]);
const ca = Buffer.alloc(1);
const files = "tls: { certificateFile: c, keyFile: k, clientCaFile: a, allowedClients: [x] }";

test("a listener for this machine, and one that knows its clients, need no warning", async () => {
  assert.deepEqual(await warningsOf('address: "127.0.0.1:1"'), []);
  assert.deepEqual(await warningsOf("address: unix:/x"), []);
  assert.deepEqual(await warningsOf(`address: "0.0.0.0:1", ${files}`, { tls: { ca } }), []);
});

test("what lets strangers in, or tells them more, is told", async () => {
  const open = 'address: "0.0.0.0:1"';
  assert.match((await warningsOf(open)).join(), /^listener a: anybody who reaches 0\.0\.0\.0:1 may ask/);
  assert.match((await warningsOf(open, { secret })).join(), /clear text/);
  assert.match((await warningsOf(open, { tls: {} })).join(), /anybody/);
  assert.match((await warningsOf(`${open}, ${files}`, { tls: { ca }, explainToClient: true })).join(), /told why/);
  assert.match((await warningsOf(open, { tls: { ca } })).join(), /allowedClients/);
});

test("an HTTP listener that cannot know which workload is asked about is told", async () => {
  const warnings = (which: string) => warningsOf('address: "127.0.0.1:1"', {}, which);
  assert.deepEqual(await warnings("protocol: http"), [
    "listener a: protocol http cannot say which workload is asked about: set workload or destination",
  ]);
  assert.deepEqual(await warnings("protocol: http, destination: { address: 10.0.0.1, port: 80 }"), []);
  assert.deepEqual(await warnings("protocol: grpc"), []);
});

test("a certificate that ends soon is told: within a tenth of its lifetime, and a week; so is one that has ended, or does not count yet", () => {
  const rows: readonly (readonly [livesDays: number, leftDays: number, said: string | undefined])[] = [
    [365, 7.1, undefined],
    [365, 7, "ends at 2026-01-08T00:00:00.000Z"],
    [1, 0.11, undefined],
    [1, 0.1, "ends at 2026-01-01T02:24:00.000Z"],
    [1, -1, "ended at 2025-12-31T00:00:00.000Z"],
    [1, 1, undefined],
    [1, 1.1, "does not count before 2026-01-01T02:24:00.000Z"],
  ];
  for (const [lives, left, said] of rows) {
    const notAfterMillis = now + left * day;
    const told = certificateWarnings(
      [{ door: "webhook", notBeforeMillis: notAfterMillis - lives * day, notAfterMillis }],
      now,
    );
    assert.deepEqual(told, said === undefined ? [] : [`webhook: the certificate ${said}`]);
  }
});
