import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { type ConnectionOptions, connect as connectTls } from "node:tls";
import { credentials, type ServiceError } from "@grpc/grpc-js";
import { bootstrap } from "#envoy-configs/bootstrap";
import { cluster } from "#envoy-configs/clusters";
import { envoyJson } from "#envoy-configs/envoy-json";
import { httpExtAuthz, httpExtAuthzSettings } from "#envoy-configs/http-ext-authz";
import { httpListener } from "#envoy-configs/listeners";
import { type Certificates, type Leaf, makeCertificates } from "#test/support/certificates";
import { exchange, h2, headerValues, http1 } from "#test/support/envoy/clients";
import { Closing } from "#test/support/envoy/closing";
import { described } from "#test/support/envoy/described";
import { type EchoedRequest, startEchoUpstream } from "#test/support/envoy/echo-upstream";
import { setInitialMetadata } from "#test/support/envoy/edit-config";
import { envoyOrSkip, findEnvoy } from "#test/support/envoy/find-envoy";
import { listOrders, startGrpcUpstream } from "#test/support/envoy/grpc-upstream";
import { type RunningEnvoy, runEnvoy } from "#test/support/envoy/run-envoy";
import { garitaFolder, type RunningGarita, runGarita } from "#test/support/envoy/run-garita";
import { bytesClient } from "#test/support/service/grpc-client";

const free = { address: "127.0.0.1", port: 0 };

const policies = `
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: doors, namespace: shop }
spec:
  action: ALLOW
  rules:
    - to: [{ operation: { paths: [/open] } }]
    - from: [{ source: { principals: [cluster.local/ns/default/sa/client] } }]
      to: [{ operation: { paths: [/by-principal, ${listOrders}] } }]
    - from: [{ source: { namespaces: [default] } }]
      to: [{ operation: { paths: [/by-namespace] } }]
    - from: [{ source: { serviceAccounts: [default/client] } }]
      to: [{ operation: { paths: [/by-service-account] } }]
    - from: [{ source: { trustDomains: [cluster.local] } }]
      to: [{ operation: { paths: [/by-trust-domain] } }]
    - from: [{ source: { principals: [cluster.local/ns/default/sa/second] } }]
      to: [{ operation: { paths: [/second] } }]
    - from: [{ source: { namespaces: [second] } }]
      to: [{ operation: { paths: [/second-dns] } }]
    - from: [{ source: { namespaces: ["first*second"] } }]
      to: [{ operation: { paths: [/joined-dns] } }]
    - from: [{ source: { principals: ["*"] } }]
      to: [{ operation: { paths: [/anybody] } }]
    - to: [{ operation: { paths: [/not-for-second, /not-for-operator] } }]
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: never, namespace: shop }
spec:
  action: DENY
  rules:
    - from: [{ source: { principals: [cluster.local/ns/default/sa/second] } }]
      to: [{ operation: { paths: [/not-for-second] } }]
    - from: [{ source: { principals: [cluster.local/ns/ops/sa/operator] } }]
      to: [{ operation: { paths: [/not-for-operator] } }]
---
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: { name: strict, namespace: shop }
spec:
  selector: { matchLabels: { app: strict } }
  mtls: { mode: STRICT }
`;

const denied = "RBAC: access denied";

const closing = new Closing();
const found = await findEnvoy();
let certificates: Certificates;
let garita: RunningGarita;
let envoy: RunningEnvoy;

before(async () => {
  if (!found.ok) return;
  certificates = closing.add(await makeCertificates());
  const upstream = closing.add(await startEchoUpstream());
  const grpcUpstream = closing.add(await startGrpcUpstream());
  const folder = closing.add(await garitaFolder({ "shop/policies.yaml": policies }));
  garita = closing.add(
    await runGarita(folder, {
      listeners: [
        { name: "verified", protocol: "grpc", address: "127.0.0.1:0", peerIdentity: "verified" },
        { name: "unset", protocol: "grpc", address: "127.0.0.1:0" },
      ],
    }),
  );
  const tls = { ...certificates.files("server"), clientCa: certificates.ca };
  const listener = (name: string, service: "verified" | "unset", more: object = {}) =>
    httpListener({
      name,
      endpoint: free,
      authorization: httpExtAuthz({ cluster: service, issuer: service === "unset" }),
      settings: httpExtAuthzSettings(described("orders")),
      upstream: "orders",
      ...more,
    });
  const config = envoyJson(
    bootstrap({
      admin: free,
      listeners: [
        listener("verified", "verified", { tls }),
        listener("unset", "unset", { tls }),
        listener("no-issuer", "unset", { tls }),
        listener("grpc", "verified", { tls, upstream: "grpc-orders" }),
        listener("optional", "verified", {
          tls: { ...tls, clientCertificateOptional: true },
          settings: httpExtAuthzSettings(described("strict")),
        }),
        listener("plaintext", "verified", { settings: httpExtAuthzSettings(described("strict")) }),
      ],
      clusters: [
        cluster({ name: "verified", endpoint: garita.endpoint("verified"), protocol: "http2" }),
        cluster({ name: "unset", endpoint: garita.endpoint("unset"), protocol: "http2" }),
        cluster({ name: "orders", endpoint: { ...free, port: upstream.port }, protocol: "http1" }),
        cluster({ name: "grpc-orders", endpoint: { ...free, port: grpcUpstream.port }, protocol: "http2" }),
      ],
    }),
  );
  setInitialMetadata(config, "no-issuer", "x-garita-issuer", undefined);
  envoy = closing.add(await runEnvoy(found.binary, config));
});
after(() => closing.close());

const as = (leaf: Leaf, ...alpn: string[]): ConnectionOptions => ({
  ...certificates.pem(leaf),
  servername: "orders.shop",
  ...(alpn.length === 0 ? {} : { ALPNProtocols: alpn }),
});
const get = (path: string) => [`GET ${path} HTTP/1.1`, "host: orders.shop"];

/** Who may enter by which path, as the policies say. */
const doors: readonly { readonly path: string; readonly allowed: readonly Leaf[]; readonly denied: readonly Leaf[] }[] =
  [
    { path: "/open", allowed: ["client", "operator", "partner", "subject-only"], denied: [] },
    { path: "/by-principal", allowed: ["client"], denied: ["operator", "partner", "two-uris", "dns-only"] },
    { path: "/by-namespace", allowed: ["client", "partner", "two-uris"], denied: ["operator", "dns-only"] },
    { path: "/by-service-account", allowed: ["client", "partner"], denied: ["operator", "two-uris"] },
    { path: "/by-trust-domain", allowed: ["client", "operator", "two-uris"], denied: ["partner", "dns-only"] },
    { path: "/second", allowed: ["two-uris"], denied: ["client"] },
    { path: "/not-for-second", allowed: ["client"], denied: ["two-uris"] },
    { path: "/second-dns", allowed: ["two-dns"], denied: ["dns-only", "two-uris"] },
    { path: "/joined-dns", allowed: [], denied: ["two-dns"] },
    { path: "/anybody", allowed: ["client", "dns-only", "subject-only"], denied: [] },
    { path: "/nowhere", allowed: [], denied: ["client", "operator"] },
  ];

for (const door of doors) {
  test(`${door.path}: HTTP/1.1 and HTTP/2 peers get in or are refused by the names of their certificates`, async (t) => {
    if ((await envoyOrSkip(t)) === undefined) return;
    for (const [leaves, status] of [
      [door.allowed, 200],
      [door.denied, 403],
    ] as const) {
      for (const leaf of leaves) {
        const one = await http1(envoy.port("verified"), get(door.path), { tls: as(leaf) });
        const two = await h2(
          envoy.port("verified"),
          { ":path": door.path, ":authority": "orders.shop" },
          { tls: as(leaf, "h2") },
        );
        assert.deepEqual([leaf, one.status, two.headers[":status"]], [leaf, status, status]);
        if (status === 200) {
          for (const { body } of [one, two]) assert.equal((JSON.parse(body) as EchoedRequest).target, door.path);
          continue;
        }
        assert.deepEqual([one.body, two.body], [denied, denied]);
        assert.deepEqual(headerValues(one, "content-type"), ["text/plain"]);
        assert.deepEqual([headerValues(one, "x-upstream"), headerValues(one, "x-garita-reason")], [[], []]);
      }
    }
  });
}

test("gRPC: an allowed call is answered by the application, a denied one with grpc-status and grpc-message", async (t) => {
  if ((await envoyOrSkip(t)) === undefined) return;
  const address = { kind: "tcp", host: "127.0.0.1", port: envoy.port("grpc") } as const;
  const channel = (leaf: Leaf) => {
    const { cert, key } = certificates.pem(leaf);
    return credentials.createSsl(readFileSync(certificates.ca), key, cert);
  };
  const options = { "grpc.ssl_target_name_override": "localhost" };
  const client = bytesClient(address, channel("client"), options);
  const operator = bytesClient(address, channel("operator"), options);
  try {
    const answer = await client.call(listOrders, Buffer.from("all orders"), undefined, 10_000);
    assert.equal(answer.toString(), "all orders");
    await assert.rejects(operator.call(listOrders, Buffer.from("x"), undefined, 10_000), (fault: ServiceError) => {
      assert.deepEqual([fault.code, fault.details], [7, denied]);
      return true;
    });
  } finally {
    client.close();
    operator.close();
  }
  const raw = await h2(
    envoy.port("grpc"),
    { ":method": "POST", ":path": listOrders, "content-type": "application/grpc", te: "trailers" },
    { body: Buffer.alloc(5), tls: as("operator", "h2") },
  );
  const { headers } = raw;
  assert.deepEqual(
    [headers[":status"], headers["content-type"], headers["grpc-status"], headers["grpc-message"], raw.body],
    [200, "application/grpc", "7", denied, ""],
  );
});

test("a peer with a certificate of another authority, or with none, gets no answer at all", async (t) => {
  if ((await envoyOrSkip(t)) === undefined) return;
  const head = `${get("/open").join("\r\n")}\r\nconnection: close\r\n\r\n`;
  assert.equal(await exchange(envoy.port("verified"), head, { tls: as("stranger") }), "");
  assert.equal(await exchange(envoy.port("verified"), head, { tls: { servername: "orders.shop" } }), "");
  assert.match(await exchange(envoy.port("verified"), head, { tls: as("client") }), /^HTTP\/1.1 200 /);
});

test("STRICT mutual TLS: plaintext and TLS without a client certificate are refused, with the reason in our log", async (t) => {
  if ((await envoyOrSkip(t)) === undefined) return;
  const from = (name: string) => garita.denial((line) => line.path === "/open" && line.workload === name);
  const plain = await http1(envoy.port("plaintext"), get("/open"));
  assert.deepEqual([plain.status, plain.body], [403, denied]);
  assert.equal((await from("shop/?")).reason, "mtls-required");
  const anonymous = await http1(envoy.port("optional"), get("/open"), { tls: { servername: "orders.shop" } });
  assert.deepEqual([anonymous.status, anonymous.body], [403, denied]);
  const known = await http1(envoy.port("optional"), get("/open"), { tls: as("operator") });
  assert.equal(known.status, 200);
});

/** Two connections, of which the second resumes the TLS session of the first. */
async function resumed(port: number, leaf: Leaf, version: "TLSv1.2" | "TLSv1.3", paths: readonly [string, string]) {
  const options = { ...as(leaf), host: "127.0.0.1", port, rejectUnauthorized: false, maxVersion: version } as const;
  const ask = (path: string, session: Buffer | undefined) =>
    new Promise<{ status: number; reused: boolean; session: Buffer | undefined }>((resolve, reject) => {
      let text = "";
      let given: Buffer | undefined;
      const socket = connectTls({ ...options, ...(session === undefined ? {} : { session }) });
      const reused = () => socket.isSessionReused();
      let wasReused = false;
      socket.on("secureConnect", () => {
        wasReused = reused();
        socket.write(`${get(path).join("\r\n")}\r\nconnection: close\r\n\r\n`);
      });
      socket.on("session", (ticket: Buffer) => {
        given = ticket;
      });
      socket.on("data", (chunk: Buffer) => {
        text += chunk.toString("latin1");
      });
      socket.on("error", reject);
      socket.on("close", () => resolve({ status: Number(text.split(" ")[1]), reused: wasReused, session: given }));
    });
  const first = await ask(paths[0], undefined);
  assert.ok(first.session, "the server gave no session");
  const second = await ask(paths[1], first.session);
  assert.deepEqual([first.reused, second.reused], [false, true]);
  return [first.status, second.status];
}

for (const version of ["TLSv1.2", "TLSv1.3"] as const) {
  test(`a resumed ${version} session keeps its identity where the listener says verified`, async (t) => {
    if ((await envoyOrSkip(t)) === undefined) return;
    const port = envoy.port("verified");
    assert.deepEqual(await resumed(port, "client", version, ["/by-principal", "/by-principal"]), [200, 200]);
    assert.deepEqual(await resumed(port, "client", version, ["/not-for-operator", "/not-for-operator"]), [200, 200]);
    assert.deepEqual(await resumed(port, "operator", version, ["/not-for-operator", "/not-for-operator"]), [403, 403]);
  });

  test(`a resumed ${version} session is of nobody known where peerIdentity is unset: ALLOW misses, DENY holds`, async (t) => {
    if ((await envoyOrSkip(t)) === undefined) return;
    const port = envoy.port("unset");
    assert.deepEqual(await resumed(port, "client", version, ["/by-principal", "/by-principal"]), [200, 403]);
    assert.deepEqual(await resumed(port, "operator", version, ["/not-for-operator", "/not-for-operator"]), [403, 403]);
    assert.deepEqual(await resumed(port, "client", version, ["/not-for-operator", "/not-for-operator"]), [200, 403]);
    assert.deepEqual(await resumed(port, "client", version, ["/open", "/open"]), [200, 200]);
  });
}

test("peerIdentity unset and no issuer sent: no identity is believed, in an ALLOW or against a DENY", async (t) => {
  if ((await envoyOrSkip(t)) === undefined) return;
  const status = async (path: string) =>
    (await http1(envoy.port("no-issuer"), get(path), { tls: as("client") })).status;
  assert.deepEqual(
    [await status("/by-principal"), await status("/not-for-operator"), await status("/open")],
    [403, 403, 200],
  );
});
