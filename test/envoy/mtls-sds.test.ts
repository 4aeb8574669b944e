import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import type { JsonObject, JsonValue } from "@bufbuild/protobuf";
import { renderBundlePem } from "#ca/bundle/render-pem";
import type { KeyKind } from "#ca/x509/contract";
import { writePem } from "#ca/x509/pem";
import { bootstrap } from "#envoy-configs/bootstrap";
import { cluster } from "#envoy-configs/clusters";
import { envoyJson } from "#envoy-configs/envoy-json";
import { type ScenarioPlaces, scenarios } from "#envoy-configs/scenarios";
import { AGENT_CLUSTER } from "#envoy-configs/secret-source";
import type { Endpoint } from "#envoy-configs/socket-address";
import { endScene, entry, newCsr, openScene, type Scene } from "#test/support/ca/scene";
import { enrolIn } from "#test/support/ca/scene-requests";
import { openSecretDoor } from "#test/support/ca/secret-door";
import { http1 } from "#test/support/envoy/clients";
import { Closing } from "#test/support/envoy/closing";
import { startEchoUpstream } from "#test/support/envoy/echo-upstream";
import { clusterOf } from "#test/support/envoy/edit-config";
import { envoyOrSkip, findEnvoy } from "#test/support/envoy/find-envoy";
import { startLoad } from "#test/support/envoy/load";
import { type RunningEnvoy, runEnvoy } from "#test/support/envoy/run-envoy";
import { garitaFolder, type RunningGarita, runGarita } from "#test/support/envoy/run-garita";
import { keyWith, newKey, type SecretServer, startSecretServer } from "#test/support/envoy/secret-server";

const free = { address: "127.0.0.1", port: 0 };
const nobody: Endpoint = { address: "127.0.0.1", port: 1 };
const web = "spiffe://hello.mesh/ns/shop/sa/web";
const orders = "spiffe://hello.mesh/ns/shop/sa/orders";
const impostor = "spiffe://hello.mesh/ns/shop/sa/impostor";

const policies = `
apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata: { name: orders-1, namespace: shop }
spec: { address: 127.0.0.1, labels: { app: orders }, serviceAccount: orders }
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: callers, namespace: shop }
spec:
  action: ALLOW
  rules:
    - from: [{ source: { principals: [hello.mesh/ns/shop/sa/web] } }]
      to: [{ operation: { paths: [/orders] } }]
    - from: [{ source: { principals: [hello.mesh/ns/shop/sa/other] } }]
      to: [{ operation: { paths: [/others] } }]
`;

const found = await findEnvoy();
const closing = new Closing();
let scene: Scene;
let folder: string;
let garita: RunningGarita;
let upstreamPort: number;

before(async () => {
  if (!found.ok) return;
  const entries = [web, orders, impostor].map((id) => entry(id));
  scene = await openScene({ entries, serverNames: ["localhost"] });
  folder = await mkdtemp(join(tmpdir(), "garita-sds-"));
  upstreamPort = closing.add(await startEchoUpstream()).port;
  const garitaPlace = closing.add(await garitaFolder({ "shop/callers.yaml": policies }));
  const listener = { name: "grpc", protocol: "grpc", address: "127.0.0.1:0", peerIdentity: "verified" };
  garita = closing.add(await runGarita(garitaPlace, { listeners: [listener] }));
});
after(async () => {
  await closing.close();
  if (!found.ok) return;
  await endScene(scene);
  await rm(folder, { recursive: true, force: true });
});

type Protocol = "GRPC" | "DELTA_GRPC";

interface Mesh {
  readonly callerSecrets: SecretServer;
  readonly calleeSecrets: SecretServer;
  readonly caller: RunningEnvoy;
  readonly callee: RunningEnvoy;
  readonly port: number;
  stop(): Promise<void>;
}

/** The two workloads of the scenario, each with its own secrets; `calleeIs`: what the callee's certificate says. */
async function startMesh(
  protocol: Protocol,
  { kind = "P-256", calleeIs = orders }: { readonly kind?: KeyKind; readonly calleeIs?: string } = {},
): Promise<Mesh> {
  const own = new Closing();
  try {
    const [callerKey, calleeKey] = [await newKey(scene, web, kind), await newKey(scene, calleeIs, kind)];
    const callerSecrets = own.add(await startSecretServer(join(folder, "web.sock"), scene, web, callerKey));
    const calleeSecrets = own.add(await startSecretServer(join(folder, "orders.sock"), scene, calleeIs, calleeKey));
    const start = async (name: string, places: Partial<ScenarioPlaces> = {}) =>
      own.add(await runEnvoy(found.ok ? found.binary : "", edited(name, protocol, places)));
    const callee = await start("mtls-sds-callee");
    const caller = await start("mtls-sds-caller", { callee: { ...free, port: callee.port("inbound") } });
    return { callerSecrets, calleeSecrets, caller, callee, port: caller.port("outbound"), stop: () => own.close() };
  } catch (fault) {
    await own.close();
    throw fault;
  }
}

/** The scenario as it is, but for the protocol of its secrets, and with a connection of its own for each request. */
function edited(name: string, protocol: Protocol, places: Partial<ScenarioPlaces> = {}): JsonValue {
  const config = envoyJson(
    scenarios[name]!({
      listener: free,
      outbound: free,
      callee: nobody,
      upstream: { ...free, port: upstreamPort },
      garita: garita.endpoint("grpc"),
      garitaHttp: nobody,
      garitaSocket: nobody,
      agentSockets: folder,
      admin: free,
      certificates: folder,
      ...places,
    }),
  );
  if (name === "mtls-sds-caller") {
    const options = clusterOf(config, "orders")["typed_extension_protocol_options"] as JsonObject;
    for (const each of Object.values(options))
      (each as JsonObject)["common_http_protocol_options"] = { max_requests_per_connection: 1 };
  }
  return JSON.parse(JSON.stringify(config).replaceAll('"api_type":"GRPC"', `"api_type":"${protocol}"`)) as JsonValue;
}

const ask = (port: number, path: string) => http1(port, [`GET ${path} HTTP/1.1`, "host: orders.shop"]);

/** Counters of an Envoy whose names match, added up. */
async function count(envoy: RunningEnvoy, pattern: RegExp): Promise<number> {
  const lines = (await envoy.admin("/stats")).split("\n").map((line) => line.split(": "));
  const numbers = lines.flatMap(([name = "", value]) => (pattern.test(name) ? [Number(value)] : []));
  assert.ok(numbers.length > 0, `no counter is ${pattern}`);
  return numbers.reduce((sum, each) => sum + each, 0);
}

async function until(what: string, isSo: () => boolean | Promise<boolean>): Promise<void> {
  for (let i = 0; i < 500; i++) {
    if (await isSo()) return;
    await delay(20);
  }
  throw new Error(`${what}: not within ten seconds`);
}

test("the authority itself gives an Envoy its key over mutual TLS, where it is told to make keys", async (t) => {
  if ((await envoyOrSkip(t)) === undefined) return;
  const door = await openSecretDoor(t, scene, { sdsKeys: true });
  const { chain, privateKey } = await enrolIn(scene, web);
  const files = { certificate: join(folder, "web.pem"), key: join(folder, "web.key"), ca: join(folder, "roots.pem") };
  await writeFile(files.certificate, chain.map((der) => writePem("CERTIFICATE", der)).join(""));
  await writeFile(files.key, privateKey.export({ type: "pkcs8", format: "pem" }), { mode: 0o600 });
  await writeFile(files.ca, renderBundlePem(scene.authority.service.bundle()));
  const toAuthority = cluster({
    name: AGENT_CLUSTER,
    endpoint: { ...free, port: door.port },
    protocol: "http2",
    tls: { ca: files.ca, serverName: { dns: "localhost" }, client: files },
  });
  const own = new Closing();
  try {
    own.add(await startSecretServer(join(folder, "orders.sock"), scene, orders, await newKey(scene, orders)));
    const callee = own.add(await runEnvoy(found.ok ? found.binary : "", edited("mtls-sds-callee", "GRPC")));
    const places = { callee: { ...free, port: callee.port("inbound") } };
    const config = edited("mtls-sds-caller", "GRPC", places) as JsonObject;
    const secure = clusterOf(envoyJson(bootstrap({ listeners: [], clusters: [toAuthority] })), AGENT_CLUSTER);
    (config["static_resources"] as JsonObject)["clusters"] = [clusterOf(config, "orders"), secure];
    const caller = own.add(await runEnvoy(found.ok ? found.binary : "", config));
    assert.equal((await ask(caller.port("outbound"), "/orders")).status, 200);
    const made = await scene.store.issuances({ limit: 10, spiffeId: web, newestOnly: true });
    assert.equal(made[0]?.method, "x509-svid", "the newest certificate was asked for with the one of the connection");
  } finally {
    await own.close();
  }
});

for (const protocol of ["GRPC", "DELTA_GRPC"] as const) {
  for (const kind of ["P-256", "P-384", "RSA-2048"] as const) {
    test(`${protocol}, ${kind}: two Envoys shake hands with secrets of SDS, and the policy sees the principal`, async (t) => {
      if ((await envoyOrSkip(t)) === undefined) return;
      const mesh = await startMesh(protocol, { kind });
      try {
        assert.equal((await ask(mesh.port, "/orders")).status, 200);
        assert.equal((await ask(mesh.port, "/others")).status, 403);
        assert.equal((await garita.denial(({ path }) => path === "/others")).principal, web);
        for (const secrets of [mesh.callerSecrets, mesh.calleeSecrets]) {
          const names = secrets.status().flatMap((stream) => stream.names);
          assert.deepEqual(names.map(({ name }) => name).toSorted(), ["ROOTCA", "default"]);
          for (const { sent, acknowledged, rejected } of names)
            assert.deepEqual([acknowledged, rejected], [sent, undefined]);
          const variants = secrets.status().map(({ variant }) => variant);
          assert.deepEqual([...new Set(variants)], [protocol === "GRPC" ? "state-of-the-world" : "delta"]);
        }
      } finally {
        await mesh.stop();
      }
    });
  }

  test(`${protocol}: whoever is not the workload that was meant is not talked to`, async (t) => {
    if ((await envoyOrSkip(t)) === undefined) return;
    const mesh = await startMesh(protocol, { calleeIs: impostor });
    try {
      const answer = await ask(mesh.port, "/orders");
      assert.equal(answer.status, 503);
      assert.ok((await count(mesh.caller, /^cluster\.orders\.ssl\.fail_verify_san$/)) > 0);
      assert.equal(await count(mesh.callee, /^http\.inbound\.downstream_rq_total$/), 0);
    } finally {
      await mesh.stop();
    }
  });

  test(`${protocol}: leaves replaced every second under load, each request on a connection of its own: none fails`, async (t) => {
    if ((await envoyOrSkip(t)) === undefined) return;
    const mesh = await startMesh(protocol);
    try {
      const load = startLoad({ port: mesh.port, paths: ["/orders"] });
      for (let i = 0; i < 10; i++) {
        await delay(1000);
        mesh.callerSecrets.give(await newKey(scene, web));
        mesh.calleeSecrets.give(await newKey(scene, orders));
      }
      await load.more(50);
      const samples = await load.stop();
      const failed = samples.filter(({ status }) => status !== 200);
      assert.deepEqual(failed.slice(0, 3), []);
      const handshakes = await count(mesh.callee, /^listener\..*\.ssl\.handshake$/);
      t.diagnostic(`${samples.length} requests, ${handshakes} handshakes`);
      assert.ok(handshakes >= samples.length, `${handshakes} handshakes for ${samples.length} requests`);
      assert.ok((await count(mesh.callee, /server_ssl_socket_factory\.ssl_context_update_by_sds$/)) >= 10);
      assert.ok((await count(mesh.caller, /client_ssl_socket_factory\.ssl_context_update_by_sds$/)) >= 10);
      assert.equal(await count(mesh.callee, /^listener\..*\.ssl\.session_reused$/), 0);
    } finally {
      await mesh.stop();
    }
  });

  test(`${protocol}: a key that does not fit its chain is rejected in Envoy's own words, and the last good one stays`, async (t) => {
    if ((await envoyOrSkip(t)) === undefined) return;
    const mesh = await startMesh(protocol);
    try {
      assert.equal((await ask(mesh.port, "/orders")).status, 200);
      const good = await newKey(scene, orders);
      mesh.calleeSecrets.give(keyWith(newCsr().privateKey, good.chainPem));
      const rejected = () =>
        mesh.calleeSecrets
          .status()
          .flatMap(({ names }) => names)
          .find(({ name }) => name === "default")?.rejected;
      await until("a rejection", () => rejected() !== undefined);
      assert.match(rejected()!.message, /KEY_VALUES_MISMATCH|private key/i);
      t.diagnostic(rejected()!.message);
      const event = mesh.calleeSecrets.events.find(({ kind }) => kind === "rejected");
      assert.deepEqual([event?.name, event?.stream.node], ["default", "orders-1"]);
      assert.equal((await ask(mesh.port, "/orders")).status, 200);
      await delay(300);
      assert.equal(mesh.calleeSecrets.events.filter(({ kind }) => kind === "rejected").length, 1, "not sent again");
      mesh.calleeSecrets.give(good);
      await until("the good one taken", () => rejected() === undefined);
      assert.equal((await ask(mesh.port, "/orders")).status, 200);
    } finally {
      await mesh.stop();
    }
  });

  test(`${protocol}: while the server of its secrets is away Envoy goes on, and takes what is new when it is back`, async (t) => {
    if ((await envoyOrSkip(t)) === undefined) return;
    const mesh = await startMesh(protocol);
    const again = new Closing();
    try {
      const updates = () => count(mesh.callee, /server_ssl_socket_factory\.ssl_context_update_by_sds$/);
      const before = await updates();
      await mesh.calleeSecrets.stop();
      assert.equal((await ask(mesh.port, "/orders")).status, 200);
      const next = await newKey(scene, orders);
      const back = again.add(await startSecretServer(join(folder, "orders.sock"), scene, orders, next));
      await until("the new key taken", async () => (await updates()) > before);
      await until("both acknowledged", () => {
        const names = back.status().flatMap((stream) => stream.names);
        return (
          names.length === 2 && names.every(({ sent, acknowledged }) => sent === acknowledged && sent !== undefined)
        );
      });
      assert.equal(await updates(), before + 1, "the bundle, which it had, made no new context");
      assert.equal((await ask(mesh.port, "/orders")).status, 200);
    } finally {
      await mesh.stop();
      await again.close();
    }
  });
}
