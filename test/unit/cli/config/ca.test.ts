import assert from "node:assert/strict";
import { test } from "node:test";
import type { CaConfig } from "#cli/config/ca-model";
import { readConfig } from "#cli/config/load";

const head = "listeners: [{ name: a, protocol: http, address: '127.0.0.1:1' }]\npolicies: { directory: p }\n";

async function accepted(ca: string, environment: Record<string, string> = {}): Promise<CaConfig> {
  const result = await readConfig(`${head}ca: ${ca}\n`, "/etc/garita/garita.yaml", environment);
  assert.ok(result.ok, JSON.stringify(result));
  assert.ok(result.config.ca !== undefined);
  return result.config.ca;
}

test("a minimal section gets every default", async () => {
  assert.deepEqual(await accepted("{ trustDomain: t.example, store: ca.sqlite, socket: ca.sock }"), {
    trustDomain: "t.example",
    store: "/etc/garita/ca.sqlite",
    keyEncryptionKeyFile: undefined,
    serverNames: [],
    grpc: undefined,
    http: undefined,
    socket: "/etc/garita/ca.sock",
    admins: [],
    issuers: [],
    leaf: {
      defaultTtlSeconds: 86_400,
      maxTtlSeconds: 7_776_000,
      minTtlSeconds: 600,
      jitterPercent: 5,
      backdateSeconds: 120,
    },
    issuing: { keyKind: "P-256", lifetimeSeconds: 7_776_000 },
    csrNames: "ignore",
    renewalGraceSeconds: 0,
    limits: {
      perAddressPerSecond: 200,
      perAddressBurst: 1000,
      perCallerPerSecond: 100,
      perCallerBurst: 1000,
      inFlight: 256,
      waiting: 4096,
    },
    blockedKeysFile: undefined,
  });
});

test("every key counts", async () => {
  const limits = {
    perAddressPerSecond: 1,
    perAddressBurst: 2,
    perCallerPerSecond: 3,
    perCallerBurst: 4,
    inFlight: 5,
    waiting: 0,
  };
  const leaf = {
    defaultTtlSeconds: 3600,
    maxTtlSeconds: 7200,
    minTtlSeconds: 60,
    jitterPercent: 0,
    backdateSeconds: 0,
  };
  const said = {
    trustDomain: "t.example",
    store: "/var/ca",
    keyEncryptionKeyFile: "kek",
    serverNames: ["ca.example", "10.0.0.5", "fd00::5"],
    grpc: { address: "127.0.0.1:15010", plaintext: false, sdsKeys: true },
    http: { address: "[::]:15443" },
    admins: [{ spiffeId: "spiffe://t.example/ops", role: "auditor" }],
    issuers: [
      { issuer: "https://i.example" },
      { issuer: "kubernetes", audiences: ["a", "b"], jwksFile: "keys.json" },
      { issuer: "third", jwksUri: "http://i.example/keys" },
    ],
    leaf,
    issuing: { keyKind: "RSA-2048", lifetimeSeconds: 86_400 },
    csrNames: "strict",
    renewalGraceSeconds: 3600,
    limits,
    blockedKeysFile: "blocked",
  };
  assert.deepEqual(await accepted(JSON.stringify(said)), {
    trustDomain: "t.example",
    store: "/var/ca",
    keyEncryptionKeyFile: "/etc/garita/kek",
    serverNames: ["ca.example", "10.0.0.5", "fd00::5"],
    grpc: { address: { kind: "tcp", host: "127.0.0.1", port: 15010 }, plaintext: false, sdsKeys: true },
    http: { address: { kind: "tcp", host: "::", port: 15443 } },
    socket: undefined,
    admins: [{ spiffeId: "spiffe://t.example/ops", role: "auditor" }],
    issuers: [
      { issuer: "https://i.example", audiences: ["istio-ca"], keys: { kind: "discovery" } },
      { issuer: "kubernetes", audiences: ["a", "b"], keys: { kind: "file", path: "/etc/garita/keys.json" } },
      { issuer: "third", audiences: ["istio-ca"], keys: { kind: "uri", uri: "http://i.example/keys" } },
    ],
    leaf,
    issuing: { keyKind: "RSA-2048", lifetimeSeconds: 86_400 },
    csrNames: "strict",
    renewalGraceSeconds: 3600,
    limits,
    blockedKeysFile: "/etc/garita/blocked",
  });
});

test("the environment goes over it, and the key-encryption key of the environment is no key of the file", async () => {
  const ca = await accepted("{ trustDomain: t.example, store: s, socket: s2 }", {
    GARITA_CA__TRUST_DOMAIN: "other.example",
    GARITA_CA__LEAF__DEFAULT_TTL_SECONDS: "3600",
    GARITA_CA__SERVER_NAMES: '["a"]',
    GARITA_CA_KEY_ENCRYPTION_KEY: "secret",
  });
  assert.equal(ca.trustDomain, "other.example");
  assert.equal(ca.leaf.defaultTtlSeconds, 3600);
  assert.deepEqual(ca.serverNames, ["a"]);
  assert.ok(!JSON.stringify(ca).includes("secret"));
});

test("plain text and no name are allowed on this machine; port 0 is never taken twice", async () => {
  const ca = await accepted(
    "{ trustDomain: t, store: s, serverNames: [a], grpc: { address: '127.0.0.1:0', plaintext: true }, http: { address: '127.0.0.1:0' } }",
  );
  assert.deepEqual(ca.grpc, { address: { kind: "tcp", host: "127.0.0.1", port: 0 }, plaintext: true, sdsKeys: false });
  const bare = await accepted("{ trustDomain: t, store: s, grpc: { address: '[::1]:1501', plaintext: true } }");
  assert.deepEqual(bare.serverNames, []);
});
