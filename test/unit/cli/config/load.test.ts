import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { loadConfig, readConfig } from "#cli/config/load";
import type { ServiceConfig } from "#cli/config/model";
import { tempFolder } from "#test/support/service/temp-folder";

const minimal = "listeners: [{ name: a, protocol: http, address: '127.0.0.1:1' }]\npolicies: { directory: p }\n";

async function accepted(text: string, environment: Record<string, string> = {}): Promise<ServiceConfig> {
  const result = await readConfig(text, "/etc/garita/garita.yaml", environment);
  assert.ok(result.ok, JSON.stringify(result));
  return result.config;
}

async function refused(text: string, environment: Record<string, string>): Promise<string[]> {
  const result = await readConfig(text, "/etc/garita/garita.yaml", environment);
  assert.ok(!result.ok, "accepted");
  return result.findings.map(({ code, file, message }) => `${code} ${file}: ${message}`);
}

test("a minimal configuration gets every default", async () => {
  assert.deepEqual(await accepted(minimal), {
    listeners: [
      {
        name: "a",
        protocol: "http",
        address: { kind: "tcp", host: "127.0.0.1", port: 1 },
        unixMode: 0o660,
        tls: undefined,
        peerIdentity: undefined,
        proxyProtocol: false,
        workload: undefined,
        destination: undefined,
        pathPrefix: "",
        attributeHeaders: false,
        upstreamHeaders: [],
        secretFile: undefined,
        explainToClient: false,
        deadlineMillis: 5000,
        maxMessageBytes: 16 * 1024 * 1024,
      },
    ],
    policies: { directory: "/etc/garita/p" },
    admin: undefined,
    jwt: {
      algorithmFit: "envoy",
      maxTokenBytes: 65_536,
      cache: { maxEntries: 20_000, maxBytes: 64 * 1024 * 1024 },
      refreshSeconds: 300,
      maxStaleSeconds: 604_800,
      blockedCidrs: [],
      caFile: undefined,
    },
    ca: undefined,
    revocations: undefined,
    logging: { level: "info" },
  });
});

test("every key of `jwt` counts, in the file and in the environment", async () => {
  const said = {
    algorithmFit: "strict",
    maxTokenBytes: 2048,
    cache: { maxEntries: 1, maxBytes: 2 },
    refreshSeconds: 60,
    maxStaleSeconds: 120,
    blockedCidrs: ["10.0.0.0/8", "fd00::/8"],
    caFile: "ca.pem",
  };
  const wanted = { ...said, caFile: "/etc/garita/ca.pem" };
  assert.deepEqual((await accepted(`${minimal}jwt: ${JSON.stringify(said)}\n`)).jwt, wanted);
  const environment = {
    GARITA_JWT__ALGORITHM_FIT: "strict",
    GARITA_JWT__MAX_TOKEN_BYTES: "2048",
    GARITA_JWT__CACHE__MAX_ENTRIES: "1",
    GARITA_JWT__CACHE__MAX_BYTES: "2",
    GARITA_JWT__REFRESH_SECONDS: "60",
    GARITA_JWT__MAX_STALE_SECONDS: "120",
    GARITA_JWT__BLOCKED_CIDRS: '["10.0.0.0/8", "fd00::/8"]',
    GARITA_JWT__CA_FILE: "ca.pem",
  };
  assert.deepEqual((await accepted(minimal, environment)).jwt, wanted);
});

test("a part of `jwt.cache` leaves the other part", async () => {
  const { jwt } = await accepted(`${minimal}jwt: { cache: { maxEntries: 7 } }\n`);
  assert.deepEqual(jwt.cache, { maxEntries: 7, maxBytes: 64 * 1024 * 1024 });
});

test("paths are relative to the file, in every key that holds one", async () => {
  const config = await accepted(`listeners:
  - name: a
    protocol: http
    address: unix:a.sock
    socketMode: "0600"
    secretFile: secrets/s
    tls: { certificateFile: c.pem, keyFile: /k.pem, clientCaFile: ../ca.pem, allowedClients: [spiffe://x/y] }
    workload: { namespace: n, labels: { app: web }, kind: gateway }
policies: { directory: . }
admin: { address: "127.0.0.1:2", socket: s.sock, tokenFile: t }
`);
  const [listener] = config.listeners;
  assert.deepEqual(listener?.address, { kind: "unix", path: "/etc/garita/a.sock" });
  assert.equal(listener?.unixMode, 0o600);
  assert.equal(listener?.secretFile, "/etc/garita/secrets/s");
  assert.deepEqual(listener?.tls, {
    certificateFile: "/etc/garita/c.pem",
    keyFile: "/k.pem",
    clientCaFile: "/etc/ca.pem",
    allowedClients: ["spiffe://x/y"],
  });
  assert.deepEqual(listener?.workload, { namespace: "n", labels: new Map([["app", "web"]]), kind: "gateway" });
  assert.deepEqual(config.policies, { directory: "/etc/garita" });
  assert.equal(config.admin?.socket, "/etc/garita/s.sock");
  assert.equal(config.admin?.tokenFile, "/etc/garita/t");
});

test("what is refused beyond this machine is allowed with proof, or by force", async () => {
  const open = (more: string) =>
    `listeners: [{ name: a, protocol: http, address: '0.0.0.0:1', ${more} }]\npolicies: { directory: p }\n`;
  const mutual = "tls: { certificateFile: a, keyFile: b, clientCaFile: c }";
  await accepted(open("attributeHeaders: true, secretFile: s"));
  await accepted(open(`attributeHeaders: true, ${mutual}`));
  await accepted(open("explainToClient: true, explainToClientForce: true"));
  await accepted(`${minimal}admin: { address: "0.0.0.0:2", ${mutual} }\n`);
  await accepted(`${minimal}admin: { address: "0.0.0.0:2", tls: { certificateFile: a, keyFile: b }, tokenFile: t }\n`);
});

test("variables override the file: texts, numbers, flags, list items, new items, free keys, JSON", async () => {
  const config = await accepted(minimal, {
    GARITA_LOGGING__LEVEL: "debug",
    GARITA_LISTENERS__0__ADDRESS: "127.0.0.1:9",
    GARITA_LISTENERS__0__DEADLINE_MILLIS: "250",
    GARITA_LISTENERS__0__EXPLAINTOCLIENT: "true",
    GARITA_LISTENERS__0__WORKLOAD__NAMESPACE: "n",
    GARITA_LISTENERS__0__WORKLOAD__LABELS__app: "true",
    GARITA_LISTENERS__1: '{"name":"b","protocol":"grpc","address":"127.0.0.1:3"}',
    garita_logging__level: "not ours",
    GARITA_SERVICE_HOST: "10.0.0.1",
    OTHER__LOGGING__LEVEL: "fatal",
  });
  assert.equal(config.logging.level, "debug");
  assert.deepEqual(config.listeners[0]?.address, { kind: "tcp", host: "127.0.0.1", port: 9 });
  assert.equal(config.listeners[0]?.deadlineMillis, 250);
  assert.equal(config.listeners[0]?.explainToClient, true);
  assert.deepEqual(config.listeners[0]?.workload, { namespace: "n", labels: new Map([["app", "true"]]) });
  assert.equal(config.listeners[1]?.name, "b");
});

test("a variable that leads nowhere or has the wrong type is refused by its name", async () => {
  const faults: readonly (readonly [name: string, value: string, message: RegExp])[] = [
    [
      "GARITA_LOGING__LEVEL",
      "debug",
      /^config\/environment environment variable GARITA_LOGING__LEVEL: no key is named `LOGING`/,
    ],
    ["GARITA_LISTENERS__5__NAME", "x", /expected an index from 0 to 1, found `5`/],
    ["GARITA_LISTENERS__x__NAME", "x", /expected an index/],
    ["GARITA_LISTENERS__0__DEADLINE_MILLIS", "5s", /expected a whole number, found `5s`/],
    ["GARITA_LISTENERS__0__EXPLAIN_TO_CLIENT", "yes", /expected `true` or `false`/],
    ["GARITA_LISTENERS__0__NAME__X", "x", /no keys/],
    ["GARITA_LISTENERS__0__TLS", "{", /expected JSON/],
    ["GARITA_LISTENERS__0__", "x", /no key is named ``/],
    ["GARITA_LOGGING__LEVEL", "loud", /^config\/value environment variable GARITA_LOGGING__LEVEL: /],
    ["GARITA_ADMIN__ADDRESS", "0.0.0.0:1", /^config\/admin-exposed environment variable GARITA_ADMIN__ADDRESS: /],
  ];
  for (const [name, value, message] of faults)
    assert.match((await refused(minimal, { [name]: value })).join("; "), message);
});

test("a file that is not there is a finding", async (t) => {
  const folder = await tempFolder(t);
  for (const path of [join(folder, "none.yaml"), folder, join(folder, "no", "garita.yaml")]) {
    const result = await loadConfig(path, {});
    assert.ok(!result.ok);
    assert.deepEqual(
      result.findings.map(({ code, file }) => [code, file]),
      [["config/missing", path]],
    );
  }
});

test("hostile files are refused quickly", async () => {
  for (const text of [
    `a: ${"[".repeat(5000)}`,
    "x".repeat(2_000_000),
    "a: &a [*a]",
    "? {a: 1}\n: 2\n",
    "__proto__: { x: 1 }",
  ]) {
    const result = await readConfig(text, "g", {});
    assert.ok(!result.ok);
  }
});
