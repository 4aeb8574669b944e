import assert from "node:assert/strict";
import { copyFileSync, readFileSync } from "node:fs";
import { mkdir, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { connect as connectTls } from "node:tls";
import type { JsonObject } from "@bufbuild/protobuf";
import { bootstrap } from "#envoy-configs/bootstrap";
import { cluster } from "#envoy-configs/clusters";
import { envoyJson } from "#envoy-configs/envoy-json";
import { httpExtAuthz, httpExtAuthzSettings } from "#envoy-configs/http-ext-authz";
import { httpServiceExtAuthz } from "#envoy-configs/http-ext-authz-http";
import { httpListener } from "#envoy-configs/listeners";
import type { Endpoint } from "#envoy-configs/socket-address";
import { type Certificates, makeCertificates } from "#test/support/certificates";
import { decisionLog, loggedDecisions } from "#test/support/envoy/access-log";
import { headerValues, http1 } from "#test/support/envoy/clients";
import { Closing } from "#test/support/envoy/closing";
import { startEchoUpstream } from "#test/support/envoy/echo-upstream";
import { clusterOf, connectionManager } from "#test/support/envoy/edit-config";
import { envoyOrSkip, findEnvoy } from "#test/support/envoy/find-envoy";
import { type Sample, startLoad } from "#test/support/envoy/load";
import { type RunningEnvoy, runEnvoy } from "#test/support/envoy/run-envoy";
import { type GaritaFolder, garitaFolder, type RunningGarita, runGarita } from "#test/support/envoy/run-garita";
import { until } from "#test/support/until";

const free = { address: "127.0.0.1", port: 0 };
const refusedBody = "RBAC: access denied";

/** Everybody may have `/open` and, by turns, `/even` or `/odd`. */
const edition = (number: number) => `apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: readers, namespace: shop }
spec:
  action: ALLOW
  rules:
    - to: [{ operation: { paths: [/open, ${number % 2 === 0 ? "/even" : "/odd"}] } }]
`;
const allows = (number: number, path: string) => path === "/open" || path === (number % 2 === 0 ? "/even" : "/odd");

const closing = new Closing();
const found = await findEnvoy();
let certificates: Certificates;
let folder: GaritaFolder;
let garita: RunningGarita;
let leaving: RunningGarita;
let envoy: RunningEnvoy;

before(async () => {
  if (!found.ok) return;
  certificates = closing.add(await makeCertificates());
  const upstream = closing.add(await startEchoUpstream());
  const policies = { "shop/readers.yaml": edition(0) };
  folder = closing.add(await garitaFolder(policies));
  const otherFolder = closing.add(await garitaFolder(policies));
  await mkdir(join(folder.path, "tls"));
  for (const kind of ["crt", "key"] as const) {
    copyFileSync(certificates.file("server", kind), join(folder.path, `tls/server.${kind}`));
  }
  const started = await Promise.allSettled([
    runGarita(folder, { listeners: listeners("127.0.0.1:0"), adminPort: 0 }),
    runGarita(otherFolder, { listeners: [grpc("main", "127.0.0.1:0"), overHttp], adminPort: 0 }),
  ]);
  const running = started.flatMap((one) => (one.status === "fulfilled" ? [closing.add(one.value)] : []));
  for (const one of started) if (one.status === "rejected") throw one.reason;
  [garita, leaving] = running as [RunningGarita, RunningGarita];
  const listener = (name: string) => {
    const timeoutMillis = name.includes("impatient") ? 2_000 : 5_000;
    return httpListener({
      name,
      endpoint: free,
      authorization: name.startsWith("http-")
        ? httpServiceExtAuthz({ cluster: name, timeoutMillis })
        : httpExtAuthz({ cluster: name, timeoutMillis }),
      settings: httpExtAuthzSettings({ "garita.dev/namespace": "shop", "garita.dev/labels": "{}" }),
      upstream: "orders",
    });
  };
  const http = ["http-impatient", "http-leaving", "http-pair"];
  const names = ["main", "socket", "renewed", "impatient", "leaving", "pair", ...http];
  const client = {
    certificate: certificates.file("garita-client", "crt"),
    key: certificates.file("garita-client", "key"),
  };
  const tls = { ca: certificates.ca, serverName: { dns: "garita.internal" }, client };
  const http1Cluster = (name: string, endpoint: Endpoint) => cluster({ name, endpoint, protocol: "http1" });
  const http2 = (name: string, endpoint: Endpoint) => cluster({ name, endpoint, protocol: "http2" });
  const config = envoyJson(
    bootstrap({
      admin: free,
      listeners: names.map(listener),
      clusters: [
        http2("main", garita.endpoint("main")),
        http2("impatient", garita.endpoint("main")),
        http2("socket", garita.endpoint("socket")),
        http2("leaving", leaving.endpoint("main")),
        http2("pair", leaving.endpoint("main")),
        http1Cluster("http-impatient", garita.endpoint("http")),
        http1Cluster("http-leaving", leaving.endpoint("http")),
        http1Cluster("http-pair", leaving.endpoint("http")),
        cluster({ name: "renewed", endpoint: garita.endpoint("mutual-tls"), protocol: "http2", tls }),
        http1Cluster("orders", { ...free, port: upstream.port }),
      ],
    }),
  );
  for (const name of names)
    connectionManager(config, name)["access_log"] = [decisionLog("envoy.filters.http.ext_authz")];
  const service = "envoy.service.auth.v3.Authorization";
  shareLoad(clusterOf(config, "pair"), clusterOf(config, "main"), { grpc_health_check: { service_name: service } });
  const ready = { http_health_check: { host: "127.0.0.1", path: "/readyz" } };
  shareLoad(clusterOf(config, "http-pair"), clusterOf(config, "http-impatient"), ready);
  // Few requests a connection: new handshakes all the time.
  protocolOptions(clusterOf(config, "renewed"))["common_http_protocol_options"] = { max_requests_per_connection: 10 };
  envoy = closing.add(await runEnvoy(found.binary, config));
});
after(() => closing.close());

function grpc(name: string, address: string) {
  return { name, protocol: "grpc", address, peerIdentity: "none" } as const;
}

const overHttp = {
  name: "http",
  protocol: "http",
  address: "127.0.0.1:0",
  peerIdentity: "none",
  workload: { namespace: "shop", labels: {} },
} as const;

function listeners(main: string) {
  const tls = { certificateFile: "tls/server.crt", keyFile: "tls/server.key", clientCaFile: certificates.ca };
  return [
    grpc("main", main),
    grpc("socket", `unix:${folder.path}/grpc.sock`),
    { ...grpc("mutual-tls", "127.0.0.1:0"), tls },
    overHttp,
  ];
}

/** The hosts of both clusters in the first, each asked for its health ten times a second: HTTP ones at the admin API. */
function shareLoad(pair: JsonObject, other: JsonObject, check: JsonObject): void {
  const hosts = hostsOf(pair);
  hosts.push(...hostsOf(other).map((host) => structuredClone(host)));
  const times = { timeout: "1s", interval: "0.1s", no_traffic_interval: "0.1s" };
  pair["health_checks"] = [{ ...times, unhealthy_threshold: 1, healthy_threshold: 1, ...check }];
  if (check["http_health_check"] === undefined) return;
  for (const [i, { adminPort }] of [leaving, garita].entries()) {
    (hosts[i]!["endpoint"] as JsonObject)["health_check_config"] = { port_value: adminPort };
  }
}

function hostsOf(one: JsonObject): JsonObject[] {
  const { endpoints } = one["load_assignment"] as { endpoints: [{ lb_endpoints: JsonObject[] }] };
  return endpoints[0].lb_endpoints;
}

function protocolOptions(one: JsonObject): JsonObject {
  const options = one["typed_extension_protocol_options"] as { [name: string]: JsonObject };
  return options["envoy.extensions.upstreams.http.v3.HttpProtocolOptions"]!;
}

let nextMark = 0;
/** One request, with what Envoy logged of it. */
async function ask(listener: string, path = "/open") {
  const mark = `life-${nextMark++}`;
  const response = await http1(envoy.port(listener), [`GET ${path} HTTP/1.1`, "host: orders.shop", `x-case: ${mark}`]);
  const [line] = await loggedDecisions(envoy, (logged) => logged.case === mark);
  return { status: response.status, body: response.body, details: line!.details, reason: line!.reason };
}

/** Is the answer what a decision of the service gives? Refusals without a decision have an empty body. */
function isDecision(sample: Sample, allowed: boolean): boolean {
  return allowed ? sample.status === 200 : sample.status === 403 && sample.body === refusedBody;
}

const withoutDecision = { status: 403, body: "", details: "ext_authz_error", reason: null };

test("edits under load: every answer is right for the old or the new rules, and after the switch for the new alone", async (t) => {
  if ((await envoyOrSkip(t)) === undefined) return;
  const edits = 6;
  let written = 0;
  let inForce = 0;
  const digests = [await garita.digest()];
  const load = startLoad({
    port: envoy.port("main"),
    paths: ["/even", "/odd"],
    mark: () => ({ begun: inForce, ended: written }),
  });
  try {
    await load.more(60);
    for (let number = 1; number <= edits; number++) {
      written = number;
      await folder.writePolicies({ "shop/readers.yaml": edition(number) });
      const page = await garita.until(({ rules }) => rules.active?.digest !== digests.at(-1));
      digests.push(page.rules.active!.digest);
      inForce = number;
      await load.more(60);
    }
  } finally {
    await load.stop();
  }
  const surely = new Map<number, number>();
  for (const sample of load.samples) {
    const possible = Array.from({ length: sample.ended - sample.begun + 1 }, (_, i) => sample.begun + i);
    assert.ok(
      possible.some((number) => isDecision(sample, allows(number, sample.path))),
      JSON.stringify(sample),
    );
    if (possible.length === 1) surely.set(sample.begun, (surely.get(sample.begun) ?? 0) + 1);
  }
  for (let number = 0; number <= edits; number++) assert.ok((surely.get(number) ?? 0) >= 60, `edition ${number}`);
  assert.equal(new Set(digests).size, 2);
  // Envoy's log says by which rules each request was decided: no answer may disagree.
  const lines = await loggedDecisions(envoy, ({ path }) => path === "/even" || path === "/odd", load.samples.length);
  for (const line of lines) {
    const number = digests.indexOf(line.digest ?? "");
    assert.ok(number >= 0, JSON.stringify(line));
    assert.equal(line.code === 200, allows(number, line.path ?? ""), JSON.stringify(line));
  }
});

test("a bad edit changes nothing but the status, which says file, line and column", async (t) => {
  if ((await envoyOrSkip(t)) === undefined) return;
  const digest = await garita.digest();
  const load = startLoad({ port: envoy.port("main"), paths: ["/even", "/odd"] });
  try {
    await folder.writePolicies({ "shop/broken.yaml": edition(1).replace("action: ALLOW", "actoin: DENY") });
    const page = await garita.until(({ rules }) => rules.candidate !== undefined);
    assert.deepEqual([page.rules.active?.digest, page.rules.current, page.rules.ready], [digest, false, true]);
    assert.match(page.rules.candidate?.message ?? "", /^shop\/broken\.yaml:5:3: .*`actoin`/);
    assert.match(page.rules.degraded?.reason ?? "", /^shop\/broken\.yaml:5:3: /);
    await load.more(50);
    await folder.writePolicies({ "shop/broken.yaml": "# repaired\n" });
    const repaired = await garita.until(({ rules }) => rules.candidate === undefined && rules.current);
    assert.equal(repaired.rules.active?.digest, digest);
  } finally {
    await load.stop();
  }
  for (const sample of load.samples) assert.ok(isDecision(sample, allows(0, sample.path)), JSON.stringify(sample));
});

test("a changed configuration is in force without a lost request: a setting, a listener more, and none for a wrong one", async (t) => {
  if ((await envoyOrSkip(t)) === undefined) return;
  const file = join(folder.path, "garita.yaml");
  const old = readFileSync(file, "utf8");
  const configure = async (text: string) => {
    await writeFile(join(folder.path, "incoming"), text);
    await rename(join(folder.path, "incoming"), file);
  };
  const changed = JSON.parse(old) as { listeners: { name: string; explainToClient?: boolean }[] };
  changed.listeners[0]!.explainToClient = true;
  changed.listeners.push(grpc("extra", "127.0.0.1:0"));
  const load = startLoad({ port: envoy.port("main"), paths: ["/open", "/nowhere"] });
  try {
    await load.more(20);
    await configure(JSON.stringify(changed));
    const page = await garita.until((status) => status.listeners.some(({ name }) => name === "extra"));
    assert.equal(page.configuration.fault, undefined);
    const told = await http1(envoy.port("main"), ["GET /nowhere HTTP/1.1", "host: orders.shop"]);
    assert.deepEqual([told.status, headerValues(told, "x-garita-reason")], [403, ["policy/not-allowed"]]);

    await configure(old.replace('"policies"', '"polices":{},"policies"'));
    const faulty = await garita.until(({ configuration }) => configuration.fault !== undefined);
    const place = `garita.yaml:1:${old.indexOf('"policies"') + 1}: `;
    assert.ok(faulty.configuration.fault?.messages[0]?.includes(place), `${faulty.configuration.fault?.messages}`);
    assert.deepEqual(faulty.listeners, page.listeners);

    await configure(old);
    const back = await garita.until((status) => status.listeners.every(({ name }) => name !== "extra"));
    assert.equal(back.configuration.fault, undefined);
    await load.more(20);
  } finally {
    await load.stop();
    await configure(old);
  }
  for (const sample of load.samples) assertDecided(sample);
});

test("a renewed certificate of ours is shown to new connections, and no request fails meanwhile", async (t) => {
  if ((await envoyOrSkip(t)) === undefined) return;
  const endpoint = garita.endpoint("mutual-tls") as { address: string; port: number };
  const fingerprint = () =>
    new Promise<string>((resolve, reject) => {
      const socket = connectTls({
        host: endpoint.address,
        port: endpoint.port,
        ca: readFileSync(certificates.ca),
        cert: readFileSync(certificates.file("garita-client", "crt")),
        key: readFileSync(certificates.file("garita-client", "key")),
        ALPNProtocols: ["h2"],
      });
      socket.on("secureConnect", () => {
        resolve(socket.getPeerCertificate().fingerprint256);
        socket.destroy();
      });
      socket.on("error", reject);
    });
  const old = await fingerprint();
  const load = startLoad({ port: envoy.port("renewed"), paths: ["/open", "/nowhere"] });
  try {
    await load.more(50);
    for (const kind of ["key", "crt"] as const) {
      await writeFile(join(folder.path, "incoming"), readFileSync(certificates.file("server-renewed", kind)));
      await rename(join(folder.path, "incoming"), join(folder.path, `tls/server.${kind}`));
    }
    await until(async () => (await fingerprint()) !== old, "the renewed certificate");
    await load.more(100);
  } finally {
    await load.stop();
  }
  for (const sample of load.samples) assertDecided(sample);
  const connections = await envoy.admin("/stats?filter=^cluster.renewed.upstream_cx_total$");
  assert.ok(Number(/: (\d+)/.exec(connections)?.[1]) >= 10, connections);
});

test("SIGTERM under load: a pair of services with health checks loses no request, one alone answers until it is gone", async (t) => {
  if ((await envoyOrSkip(t)) === undefined) return;
  let gone = 0;
  const start = (listener: string) =>
    startLoad({
      port: envoy.port(listener),
      paths: ["/open", "/nowhere"],
      mark: () => ({ begun: gone, ended: gone }),
    });
  const pairs = [start("pair"), start("http-pair")];
  const alone = [start("leaving"), start("http-leaving")];
  const all = [...pairs, ...alone];
  try {
    await Promise.all(all.map((load) => load.more(50)));
    const before = alone.map(({ samples }) => samples.length);
    leaving.signal("SIGTERM");
    await Promise.all(alone.map((load) => load.more(20)));
    for (const [i, { samples }] of alone.entries()) {
      for (const sample of samples.slice(0, before[i]! + 20)) assertDecided(sample);
    }
    assert.deepEqual(await leaving.exited, { code: 0, signal: null });
    gone = 1;
    await Promise.all(all.map((load) => load.more(20)));
  } finally {
    await Promise.all(all.map((load) => load.stop()));
  }
  for (const { samples } of pairs) for (const sample of samples) assertDecided(sample);
  for (const name of ["pair", "http-pair"]) {
    for (const requests of await requestsOf(name)) assert.ok(requests >= 20, `a service of ${name} got ${requests}`);
  }
  // Alone: decisions until it is gone, then refusals without one.
  for (const { samples } of alone) {
    for (const sample of samples) {
      if (isDecision(sample, sample.path === "/open")) assert.equal(sample.begun, 0);
      else assert.deepEqual([sample.status, sample.body], [403, ""], JSON.stringify(sample));
    }
  }
});

/** How many requests each host of a cluster got. */
async function requestsOf(name: string): Promise<number[]> {
  type Hosts = { name: string; host_statuses: { stats: { name: string; value?: string }[] }[] }[];
  const page = JSON.parse(await envoy.admin("/clusters?format=json")) as { cluster_statuses: Hosts };
  const hosts = page.cluster_statuses.find((one) => one.name === name)!.host_statuses;
  return hosts.map(({ stats }) => Number(stats.find((one) => one.name === "rq_total")?.value ?? 0));
}

function assertDecided(sample: Sample): void {
  assert.ok(isDecision(sample, sample.path === "/open"), JSON.stringify(sample));
}

test("a service that does not answer in time: Envoy refuses; awake again it decides again", async (t) => {
  if ((await envoyOrSkip(t)) === undefined) return;
  const ways = ["impatient", "http-impatient"];
  for (const listener of ways) assert.equal((await ask(listener)).status, 200);
  garita.signal("SIGSTOP");
  try {
    for (const listener of ways) assert.deepEqual(await ask(listener), withoutDecision);
  } finally {
    garita.signal("SIGCONT");
  }
  for (const listener of ways) {
    assert.equal((await ask(listener)).status, 200);
    assert.equal((await ask(listener, "/nowhere")).body, refusedBody);
  }
});

test("killed: everything is refused; started again, by TCP or by a socket left behind, it answers an untouched Envoy", async (t) => {
  if ((await envoyOrSkip(t)) === undefined) return;
  for (const listener of ["main", "socket"]) assert.equal((await ask(listener)).status, 200);
  const { address, port } = garita.endpoint("main") as { address: string; port: number };
  garita.signal("SIGKILL");
  assert.deepEqual(await garita.exited, { code: null, signal: "SIGKILL" });
  for (const listener of ["main", "socket"]) assert.deepEqual(await ask(listener), withoutDecision);

  // It starts with policies that are not valid: it answers, and lets nobody in, until they are.
  await folder.writePolicies({ "shop/readers.yaml": "kind: AuthorizationPolicy\napiVersion: security.istio.io/v1\n" });
  garita = closing.add(await runGarita(folder, { listeners: listeners(`${address}:${port}`) }));
  for (const listener of ["main", "socket"]) {
    const refused = await ask(listener);
    assert.deepEqual(refused, { status: 403, body: refusedBody, details: "ext_authz_denied", reason: "rules/none" });
  }
  await folder.writePolicies({ "shop/readers.yaml": edition(1) });
  await garita.until(({ rules }) => rules.ready);
  for (const listener of ["main", "socket"]) {
    assert.equal((await ask(listener, "/odd")).status, 200);
    assert.equal((await ask(listener, "/even")).reason, "policy/not-allowed");
  }
});
