import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { type TestContext, test } from "node:test";
import { createAdminApp } from "#authz/transport/admin/app";
import type { AdminParts } from "#authz/transport/admin/contract";
import { jwtDefaults } from "#cli/config/jwt-defaults";
import type { JwtConfig } from "#cli/config/model";
import { createIssuerKeys, type IssuerKeys, prepareFetching } from "#cli/serve/issuer-keys";
import type { KeySource } from "#identity/key-set/key-source";
import { createLog } from "#platform/log";
import { createMetrics, type Metrics } from "#platform/metrics";
import { answering, startHostileIssuer } from "#test/support/issuer/hostile-issuer";
import { startIssuer } from "#test/support/issuer/start-issuer";
import { createFakeTime, type FakeTime } from "#test/support/keys/fake-time";

const jwt: JwtConfig = { ...jwtDefaults, blockedCidrs: [], caFile: undefined };
const patienceMillis = 20_000;

interface Running {
  readonly keys: IssuerKeys;
  readonly time: FakeTime;
  readonly metrics: Metrics;
  readonly lines: () => readonly Record<string, unknown>[];
}

async function running(t: TestContext, config: JwtConfig): Promise<Running> {
  const time = createFakeTime();
  const metrics = createMetrics();
  const stream = new PassThrough();
  const chunks: Buffer[] = [];
  stream.on("data", (chunk: Buffer) => chunks.push(chunk));
  const { log } = createLog({ level: "info", stream });
  const parts = { clock: time, timers: time, random: () => 0, log, metrics };
  const keys = createIssuerKeys(parts, await prepareFetching(config, {}));
  t.after(() => keys.store.stop());
  const lines = () =>
    Buffer.concat(chunks)
      .toString()
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  return { keys, time, metrics, lines };
}

const sourceOf = (uri: string, id = "a"): KeySource => ({ kind: "uri", id, uri, timeoutMillis: undefined });

/** Lines of the metrics text that begin so, without the rest. */
async function readings(metrics: Metrics, beginning: string): Promise<readonly string[]> {
  const { text } = await metrics.render();
  return text.split("\n").filter((line) => line.startsWith(beginning));
}

test("a reload with an authority more fetches anew, and one without a change does not", async (t) => {
  const issuer = await startIssuer();
  t.after(() => issuer.stop());
  const { keys, lines } = await running(t, jwt);
  await keys.store.follow([sourceOf(issuer.jwksUri)], patienceMillis);
  assert.equal(keys.store.current().of("a").kind, "unfetched");
  const changed = Promise.withResolvers<void>();
  t.after(keys.store.onChange(changed.resolve));
  keys.use(await prepareFetching({ ...jwt, caFile: issuer.caFile }, {}));
  await changed.promise;
  assert.equal(keys.store.current().of("a").kind, "keys");
  const { attemptedMillis } = keys.store.status()[0]!;
  keys.use(await prepareFetching({ ...jwt, caFile: issuer.caFile, maxTokenBytes: 2048 }, {}));
  await keys.store.follow([sourceOf(issuer.jwksUri)], patienceMillis);
  assert.equal(keys.store.status()[0]?.attemptedMillis, attemptedMillis);
  assert.deepEqual(
    lines().map(({ level, msg, issuer: name, code }) => [level, msg, name, code]),
    [
      ["warn", "keys of an issuer cannot be refreshed", issuer.jwksUri, "fetch/tls"],
      ["info", "keys of an issuer are refreshed again", issuer.jwksUri, undefined],
    ],
  );
});

test("a blocked range counts on reload, and takes no keys away", async (t) => {
  const issuer = await startIssuer();
  t.after(() => issuer.stop());
  const config = { ...jwt, caFile: issuer.caFile };
  const { keys } = await running(t, config);
  await keys.store.follow([sourceOf(issuer.jwksUri)], patienceMillis);
  keys.use(await prepareFetching({ ...config, blockedCidrs: ["127.0.0.0/8", "::1/128"] }, {}));
  await keys.store.refresh();
  const [status] = keys.store.status();
  assert.equal(status?.fault?.code, "fetch/address");
  assert.equal(status?.state, "keys");
});

test("an authority file that cannot be read refuses the configuration", async () => {
  await assert.rejects(prepareFetching({ ...jwt, caFile: "/does/not/exist.pem" }, {}), { code: "tls/unreadable" });
});

test("an issuer that stays down makes one line, and another fault one more", async (t) => {
  const issuer = await startHostileIssuer(t, answering("", "", "503 No"));
  const { keys, lines } = await running(t, jwt);
  await keys.store.follow([sourceOf(issuer.uri)], patienceMillis);
  for (let i = 0; i < 5; i++) await keys.store.refresh();
  issuer.become(answering("{}"));
  for (let i = 0; i < 5; i++) await keys.store.refresh();
  assert.deepEqual(
    lines().map(({ code }) => code),
    ["fetch/status", "keys/unusable"],
  );
});

test("metrics: outcomes, number and age of keys", async (t) => {
  const issuer = await startIssuer({ keys: ["RS256", "ES256"] });
  t.after(() => issuer.stop());
  const down = await startHostileIssuer(t, answering("", "", "503 No"));
  const { keys, time, metrics } = await running(t, { ...jwt, caFile: issuer.caFile });
  const inline: KeySource = { kind: "inline", id: "i", text: "{}" };
  await keys.store.follow([sourceOf(issuer.jwksUri), sourceOf(down.uri, "b"), inline], patienceMillis);
  await keys.store.refresh("a");
  await issuer.rotate();
  await keys.store.refresh("a");
  await time.advance(1_500);
  assert.deepEqual(await readings(metrics, "garita_issuer_keys{"), [
    `garita_issuer_keys{issuer="${issuer.jwksUri}"} 2`,
    `garita_issuer_keys{issuer="${down.uri}"} 0`,
  ]);
  assert.deepEqual(await readings(metrics, "garita_issuer_keys_age_seconds{"), [
    `garita_issuer_keys_age_seconds{issuer="${issuer.jwksUri}"} 1.5`,
  ]);
  assert.deepEqual(
    (await readings(metrics, "garita_issuer_fetches_total{")).toSorted(),
    [
      `garita_issuer_fetches_total{issuer="${down.uri}",outcome="fetch/status"} 1`,
      `garita_issuer_fetches_total{issuer="${issuer.jwksUri}",outcome="renewed"} 2`,
      `garita_issuer_fetches_total{issuer="${issuer.jwksUri}",outcome="unchanged"} 1`,
    ].toSorted(),
  );
  assert.deepEqual(await readings(metrics, "garita_issuer_fetch_duration_seconds_count"), [
    "garita_issuer_fetch_duration_seconds_count 4",
  ]);
});

test("metrics: sources of one name are one time series, and issuers beyond 200 are `other`", async (t) => {
  const issuer = await startHostileIssuer(t, answering("", "", "404 No"));
  const { keys, metrics } = await running(t, jwt);
  const twice = [sourceOf(issuer.uri, "x"), sourceOf(issuer.uri, "y")];
  const many = Array.from({ length: 210 }, (_, i) => sourceOf(`${issuer.uri}/${i}`, String(i)));
  await keys.store.follow([...twice, ...many], patienceMillis);
  const series = await readings(metrics, "garita_issuer_fetches_total{");
  assert.equal(series.length, 201);
  assert.ok(series.includes('garita_issuer_fetches_total{issuer="other",outcome="fetch/status"} 11'));
  assert.ok(series.includes(`garita_issuer_fetches_total{issuer="${issuer.uri}",outcome="fetch/status"} 2`));
  const gauges = await readings(metrics, "garita_issuer_keys{");
  assert.equal(new Set(gauges).size, gauges.length);
  assert.equal(gauges.length, 200);
});

test("the status page tells the issuers", async (t) => {
  const issuer = await startIssuer();
  t.after(() => issuer.stop());
  const { keys, time } = await running(t, { ...jwt, caFile: issuer.caFile });
  const discovery: KeySource = { kind: "discovery", id: "d", issuer: issuer.issuer, timeoutMillis: undefined };
  await keys.store.follow([discovery, sourceOf("http://127.0.0.1:1/", "down")], patienceMillis);
  const page = {
    version: "",
    node: "",
    startedMillis: 0,
    ending: false,
    listeners: [],
    droppedLogLines: 0,
    warnings: [],
  };
  const rules = { source: "", ready: true, current: true };
  const parts: AdminParts = {
    status: () =>
      ({ ...page, rules, configuration: {}, issuers: keys.store.status() }) as unknown as ReturnType<
        AdminParts["status"]
      >,
    metrics: async () => ({ contentType: "", text: "" }),
    explain: () => ({ ok: false, status: 503, code: "", message: "" }),
    reload: async () => ({ ok: true, messages: [] }),
    sync: async () => ({ ok: true, result: "unchanged", digest: undefined, message: undefined }),
  };
  const door = { reads: "open", writes: "closed", hosts: undefined, token: () => undefined, tls: undefined } as const;
  const app = await createAdminApp(parts, door);
  t.after(() => app.close());
  const answer = await app.inject({ url: "/v1/status" });
  assert.equal(answer.statusCode, 200);
  const now = time.nowMillis();
  assert.deepEqual(answer.json().issuers, [
    {
      name: issuer.issuer,
      kind: "discovery",
      state: "keys",
      keys: [{ kty: "RSA", kid: "key-1-1", alg: "RS256" }],
      fetchedMillis: now,
      attemptedMillis: now,
      nextMillis: now + 300_000,
    },
    {
      name: "http://127.0.0.1:1/",
      kind: "uri",
      state: "unfetched",
      keys: [],
      attemptedMillis: now,
      nextMillis: now + 2_000,
      fault: { code: "fetch/connect", message: "the key set: ECONNREFUSED", atMillis: now },
    },
  ]);
});
