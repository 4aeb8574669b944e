import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { decodeCheckRequest } from "#authz/check/wire/decode-check-request";
import { type ScenarioPlaces, scenarios } from "#envoy-configs/scenarios";
import type { Endpoint } from "#envoy-configs/socket-address";
import { type Certificates, makeCertificates } from "#test/support/certificates";
import { type CaptureServer, plainAllow, startCaptureServer } from "#test/support/envoy/capture-server";
import { exchange, http1 } from "#test/support/envoy/clients";
import { type EchoedRequest, startEchoUpstream, startTcpEcho, type Upstream } from "#test/support/envoy/echo-upstream";
import { envoyOrSkip } from "#test/support/envoy/find-envoy";
import { type RunningEnvoy, runEnvoy } from "#test/support/envoy/run-envoy";

const free = { address: "127.0.0.1", port: 0 };
const nobody: Endpoint = { address: "127.0.0.1", port: 1 };
const denial = { ...plainAllow, allowed: false, code: 7, httpStatus: 403, body: "RBAC: access denied" };
const get = ["GET /orders HTTP/1.1", "host: orders.shop"];

let certificates: Certificates;
let folder: string;
let upstream: Upstream;
before(async () => {
  certificates = await makeCertificates();
  folder = await mkdtemp(join(tmpdir(), "garita-live-"));
  upstream = await startEchoUpstream();
});
after(async () => {
  await upstream.stop();
  await certificates.remove();
  await rm(folder, { recursive: true, force: true });
});

const pem = (name: string) => readFileSync(join(certificates.directory, name));
const client = () => ({ cert: pem("client.crt"), key: pem("client.key"), servername: "orders.shop" });

function start(binary: string, scenario: string, places: Partial<ScenarioPlaces>): Promise<RunningEnvoy> {
  const everywhere: ScenarioPlaces = {
    listener: free,
    upstream: { ...free, port: upstream.port },
    garita: nobody,
    garitaHttp: nobody,
    garitaSocket: { path: join(folder, "absent.sock") },
    agentSockets: folder,
    outbound: free,
    callee: nobody,
    admin: free,
    certificates: certificates.directory,
    ...places,
  };
  return runEnvoy(binary, scenarios[scenario]!(everywhere));
}

interface GrpcScenario {
  readonly name: string;
  readonly listener: string;
  readonly tls: "mutual" | "server" | "none";
  readonly garita: (server: CaptureServer) => Partial<ScenarioPlaces>;
  readonly serve: () => Promise<CaptureServer>;
  readonly principal: string;
  readonly extensions: { readonly [name: string]: string };
}

const onPort = (server: CaptureServer): Partial<ScenarioPlaces> => ({ garita: { ...free, port: server.port } });
const socket = () => join(folder, "grpc.sock");
const orders = { "garita.dev/workload": "orders-1", "garita.dev/namespace": "shop" };

const overGrpc: readonly GrpcScenario[] = [
  {
    name: "grpc-mtls",
    listener: "inbound",
    tls: "mutual",
    garita: onPort,
    serve: () =>
      startCaptureServer({ tls: { ca: pem("ca.crt"), certificate: pem("server.crt"), key: pem("server.key") } }),
    principal: "spiffe://cluster.local/ns/default/sa/client",
    extensions: orders,
  },
  {
    name: "edge-gateway",
    listener: "edge",
    tls: "server",
    garita: onPort,
    serve: () => startCaptureServer(),
    principal: "",
    extensions: {
      "garita.dev/namespace": "edge",
      "garita.dev/labels": '{"app":"gateway"}',
      "garita.dev/kind": "gateway",
    },
  },
  {
    name: "unix-socket",
    listener: "inbound",
    tls: "none",
    garita: () => ({ garitaSocket: { path: socket() } }),
    serve: () => startCaptureServer({ address: `unix:${socket()}` }),
    principal: "",
    extensions: orders,
  },
];

for (const scenario of overGrpc) {
  test(`${scenario.name}: allowed, denied, and refused while Garita is away`, async (t) => {
    const binary = await envoyOrSkip(t);
    if (binary === undefined) return;
    const garita = await scenario.serve();
    const envoy = await start(binary, scenario.name, scenario.garita(garita));
    try {
      const port = envoy.port(scenario.listener);
      const tls = { mutual: { tls: client() }, server: { tls: { servername: "orders.shop" } }, none: {} }[scenario.tls];
      garita.answer({
        ...plainAllow,
        metadata: [
          ["decision_id", "01J"],
          ["reason", "policy/allowed"],
        ],
      });
      const allowed = await http1(port, get, tls);
      assert.equal(allowed.status, 200);
      assert.equal((JSON.parse(allowed.body) as EchoedRequest).target, "/orders");
      const [check] = garita.take();
      const decoded = decodeCheckRequest(check!.message);
      assert.ok(decoded.ok);
      assert.equal(decoded.request.source.principal, scenario.principal);
      for (const [name, value] of Object.entries(scenario.extensions)) {
        assert.equal(decoded.request.contextExtension(name), value);
      }
      assert.deepEqual(check!.metadata("x-garita-peer"), ["[127.0.0.1]"]);

      garita.answer(denial);
      const denied = await http1(port, get, tls);
      assert.deepEqual([denied.status, denied.body], [403, "RBAC: access denied"]);

      await garita.stop();
      const away = await http1(port, get, tls);
      assert.deepEqual([away.status, away.body], [403, ""]);
      if (scenario.name === "edge-gateway") {
        await envoy.admin("/reopen_logs", "POST");
        assert.match(await envoy.log(), /GET \/orders 200 via_upstream decision=01J reason=policy\/allowed/);
      }
    } finally {
      await envoy.stop();
      await garita.stop();
    }
  });
}

test("grpc-mtls: clients without a certificate, or with one of another CA, do not get in", async (t) => {
  const binary = await envoyOrSkip(t);
  if (binary === undefined) return;
  const envoy = await start(binary, "grpc-mtls", {});
  try {
    const port = envoy.port("inbound");
    const head = `${get.join("\r\n")}\r\nconnection: close\r\n\r\n`;
    assert.equal(await exchange(port, head, { tls: {} }), "");
    assert.equal(await exchange(port, head, { tls: { cert: pem("stranger.crt"), key: pem("stranger.key") } }), "");
    assert.match(await exchange(port, head, { tls: client() }), /^HTTP\/1.1 403 /);
  } finally {
    await envoy.stop();
  }
});

test("tcp: allowed, denied, and refused while Garita is away", async (t) => {
  const binary = await envoyOrSkip(t);
  if (binary === undefined) return;
  const garita = await startCaptureServer();
  const echo = await startTcpEcho();
  const envoy = await start(binary, "tcp", { ...onPort(garita), upstream: { ...free, port: echo.port } });
  try {
    const ask = () => exchange(envoy.port("inbound"), "hi", { tls: client(), until: (received) => received === "hi" });
    assert.equal(await ask(), "hi");
    const decoded = decodeCheckRequest(garita.take()[0]!.message);
    assert.ok(decoded.ok);
    assert.equal(decoded.request.http, undefined);
    assert.equal(decoded.request.tlsSession?.sni, "orders.shop");
    assert.equal(decoded.request.destination.label("garita.dev/workload"), "database-1");
    garita.answer({ ...denial, httpStatus: 0 });
    assert.equal(await ask(), "");
    garita.answer(plainAllow);
    assert.equal(await ask(), "hi");
    await garita.stop();
    assert.equal(await ask(), "");
  } finally {
    await envoy.stop();
    await garita.stop();
    await echo.stop();
  }
});

test("http-service: what Garita gets, allowed, denied, and refused while Garita is away", async (t) => {
  const binary = await envoyOrSkip(t);
  if (binary === undefined) return;
  let seen: { url: string; method: string; headers: [string, string][]; body: string } | undefined;
  let status = 200;
  const garita = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    const headers = request.rawHeaders.flatMap((name, i): [string, string][] =>
      i % 2 === 0 ? [[name.toLowerCase(), request.rawHeaders[i + 1]!]] : [],
    );
    seen = { url: request.url ?? "", method: request.method ?? "", headers, body };
    response.writeHead(status, { "x-envoy-auth-headers-to-remove": "x-drop", "x-reason": "because" }).end("no");
  });
  await new Promise<void>((resolve) => garita.listen(0, "127.0.0.1", resolve));
  const { port: garitaPort } = garita.address() as AddressInfo;
  const envoy = await start(binary, "http-service", { garitaHttp: { ...free, port: garitaPort } });
  try {
    const post = [
      "POST /a/../orders?q=1 HTTP/1.1",
      "host: orders.shop",
      "x-role: user",
      "x-role: admin",
      "x-drop: 1",
      "x-garita-uris: [spiffe://cluster.local/ns/default/sa/forged]",
      "x-garita-other: forged",
      "content-type: text/plain",
      "content-length: 4",
    ];
    const allowed = await http1(envoy.port("inbound"), post, { body: "body" });
    assert.equal(allowed.status, 200);
    const upstreamSaw = JSON.parse(allowed.body) as EchoedRequest;
    assert.equal(upstreamSaw.body, "body");
    assert.ok(!upstreamSaw.rawHeaders.includes("x-drop"));
    const values = (name: string) => seen!.headers.filter(([header]) => header === name).map(([, value]) => value);
    assert.deepEqual([seen?.method, seen?.url, seen?.body], ["POST", "/orders?q=1", ""]);
    assert.deepEqual(values("x-role"), ["user,admin"]);
    assert.deepEqual(values("content-type"), ["text/plain"]);
    assert.deepEqual(values("content-length"), ["0"]);
    assert.deepEqual(values("x-garita-uris"), ["[]"]);
    assert.deepEqual(values("x-garita-peer"), ["[127.0.0.1]"]);
    assert.deepEqual(values("x-garita-other"), []);
    status = 401;
    const denied = await http1(envoy.port("inbound"), get);
    assert.deepEqual([denied.status, denied.body], [401, "no"]);
    assert.ok(denied.headers.some(([name, value]) => name === "x-reason" && value === "because"));
    garita.closeAllConnections();
    await new Promise((resolve) => garita.close(resolve));
    assert.equal((await http1(envoy.port("inbound"), get)).status, 403);
  } finally {
    await envoy.stop();
    garita.closeAllConnections();
    garita.close();
  }
});

test("http-service-tokens: headers that Garita sets take the place of a client's own", async (t) => {
  const binary = await envoyOrSkip(t);
  if (binary === undefined) return;
  const answers = [
    { "x-user": "alice", "x-other": "1", "x-envoy-auth-headers-to-remove": "authorization,x-roles" },
    {},
  ];
  const garita = createServer((_, response) => response.writeHead(200, answers.shift()).end());
  await new Promise<void>((resolve) => garita.listen(0, "127.0.0.1", resolve));
  const { port: garitaPort } = garita.address() as AddressInfo;
  const envoy = await start(binary, "http-service-tokens", { garitaHttp: { ...free, port: garitaPort } });
  try {
    const forged = ["x-user: mallory", "x-user: eve", "x-roles: admin", "authorization: Bearer of-mine"];
    const upstreamSaw = async () => {
      const { body } = await http1(envoy.port("inbound"), [...get, ...forged]);
      const { rawHeaders } = JSON.parse(body) as EchoedRequest;
      return rawHeaders
        .flatMap((name, i) => (i % 2 === 0 ? [`${name}: ${rawHeaders[i + 1]}`] : []))
        .filter((line) => /^(x-user|x-roles|x-other|authorization):/.test(line));
    };
    assert.deepEqual(await upstreamSaw(), ["x-user: alice"]);
    assert.deepEqual((await upstreamSaw()).toSorted(), forged.toSorted());
  } finally {
    await envoy.stop();
    garita.closeAllConnections();
    garita.close();
  }
});
