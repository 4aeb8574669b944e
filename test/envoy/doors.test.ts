import assert from "node:assert/strict";
import { statSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { bootstrap } from "#envoy-configs/bootstrap";
import { type ClusterOptions, cluster } from "#envoy-configs/clusters";
import { envoyJson } from "#envoy-configs/envoy-json";
import { httpExtAuthz, httpExtAuthzSettings } from "#envoy-configs/http-ext-authz";
import { httpServiceExtAuthz } from "#envoy-configs/http-ext-authz-http";
import { httpListener } from "#envoy-configs/listeners";
import { type Leaf, makeCertificates } from "#test/support/certificates";
import { decisionLog, loggedDecisions } from "#test/support/envoy/access-log";
import { http1 } from "#test/support/envoy/clients";
import { Closing } from "#test/support/envoy/closing";
import { startEchoUpstream } from "#test/support/envoy/echo-upstream";
import { connectionManager, setInitialMetadata } from "#test/support/envoy/edit-config";
import { envoyOrSkip, findEnvoy } from "#test/support/envoy/find-envoy";
import { type RunningEnvoy, runEnvoy } from "#test/support/envoy/run-envoy";
import { type GaritaFolder, garitaFolder, type RunningGarita, runGarita } from "#test/support/envoy/run-garita";

const free = { address: "127.0.0.1", port: 0 };
const SECRET = "a secret of many bytes";
const policies = `
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: readers, namespace: shop }
spec:
  action: ALLOW
  rules: [{ to: [{ operation: { paths: [/open] } }] }]
`;

/** How the Envoys of this test reach the service: by which listener, as whom, and whether they are heard. */
const doors = [
  { name: "tcp", to: "tcp", heard: true },
  { name: "socket", to: "socket", heard: true },
  { name: "http-socket", to: "http-socket", heard: true },
  { name: "allowed", to: "mutual-tls", client: "garita-client", heard: true },
  { name: "not-on-the-list", to: "mutual-tls", client: "client", heard: false },
  { name: "several-names", to: "any-of-two", client: "two-uris", heard: true },
  { name: "other-authority", to: "mutual-tls", client: "stranger", heard: false },
  { name: "no-certificate", to: "mutual-tls", client: undefined, tls: true, heard: false },
  { name: "plaintext-to-tls", to: "mutual-tls", heard: false },
  { name: "other-server", to: "mutual-tls", client: "garita-client", server: "elsewhere.internal", heard: false },
  { name: "any-of-the-authority", to: "any-client", client: "client", heard: true },
  { name: "server-tls", to: "server-tls", tls: true, heard: true },
] as const;

const closing = new Closing();
const found = await findEnvoy();
let folder: GaritaFolder;
let garita: RunningGarita;
let envoy: RunningEnvoy;

before(async () => {
  if (!found.ok) return;
  const certificates = closing.add(await makeCertificates());
  const upstream = closing.add(await startEchoUpstream());
  folder = closing.add(await garitaFolder({ "shop/policies.yaml": policies }));
  await writeFile(join(folder.path, "secret"), SECRET);
  const workload = { namespace: "shop", labels: {} };
  const tls = {
    certificateFile: certificates.file("server", "crt"),
    keyFile: certificates.file("server", "key"),
    clientCaFile: certificates.ca,
  };
  const grpc = { protocol: "grpc", address: "127.0.0.1:0", peerIdentity: "verified" };
  const envoyName = "spiffe://cluster.local/ns/garita/sa/envoy";
  garita = closing.add(
    await runGarita(folder, {
      listeners: [
        { ...grpc, name: "tcp" },
        { ...grpc, name: "socket", address: `unix:${folder.path}/grpc.sock`, socketMode: "0600" },
        { name: "http-socket", protocol: "http", address: `unix:${folder.path}/http.sock`, workload },
        { ...grpc, name: "mutual-tls", tls: { ...tls, allowedClients: [envoyName] } },
        { ...grpc, name: "any-of-two", tls: { ...tls, allowedClients: [envoyName, "two.example"] } },
        { ...grpc, name: "any-client", tls },
        { ...grpc, name: "server-tls", tls: { certificateFile: tls.certificateFile, keyFile: tls.keyFile } },
        { ...grpc, name: "secret", secretFile: "secret" },
      ],
    }),
  );
  const names = ["secret", "wrong-secret", "no-secret", "two-secrets"];
  const listener = (name: string, service: string) =>
    httpListener({
      name,
      endpoint: free,
      authorization:
        service === "http-socket" ? httpServiceExtAuthz({ cluster: service }) : httpExtAuthz({ cluster: service }),
      settings: httpExtAuthzSettings({ "garita.dev/namespace": "shop", "garita.dev/labels": "{}" }),
      upstream: "orders",
    });
  const tlsOf = (client: Leaf | undefined, server: string): NonNullable<ClusterOptions["tls"]> => ({
    ca: certificates.ca,
    serverName: { dns: server },
    ...(client === undefined ? {} : { client: certificates.files(client) }),
  });
  const asked = doors.map((door) => {
    const secure = "client" in door || "tls" in door;
    return cluster({
      name: door.name,
      endpoint: garita.endpoint(door.to),
      protocol: door.name === "http-socket" ? "http1" : "http2",
      ...(secure
        ? {
            tls: tlsOf("client" in door ? door.client : undefined, "server" in door ? door.server : "garita.internal"),
          }
        : {}),
    });
  });
  const config = envoyJson(
    bootstrap({
      admin: free,
      listeners: [
        ...doors.map(({ name }) => listener(name, name)),
        ...names.map((name) => listener(name, "with-secret")),
      ],
      clusters: [
        ...asked,
        cluster({ name: "with-secret", endpoint: garita.endpoint("secret"), protocol: "http2" }),
        cluster({ name: "orders", endpoint: { ...free, port: upstream.port }, protocol: "http1" }),
      ],
    }),
  );
  setInitialMetadata(config, "secret", "x-garita-secret", SECRET);
  setInitialMetadata(config, "wrong-secret", "x-garita-secret", SECRET.toUpperCase());
  setInitialMetadata(config, "two-secrets", "x-garita-secret", `${SECRET}, ${SECRET}`);
  for (const { name } of doors) {
    connectionManager(config, name)["access_log"] = [decisionLog("envoy.filters.http.ext_authz")];
  }
  envoy = closing.add(await runEnvoy(found.binary, config));
});
after(() => closing.close());

const ask = (listener: string, path: string, ...headers: string[]) =>
  http1(envoy.port(listener), [`GET ${path} HTTP/1.1`, "host: orders.shop", `x-case: ${listener}`, ...headers]);

for (const { name, heard } of doors) {
  test(`${name}: this Envoy is ${heard ? "heard" : "not heard, which refuses everything"}`, async (t) => {
    if ((await envoyOrSkip(t)) === undefined) return;
    const open = await ask(name, "/open");
    const closed = await ask(name, "/closed");
    if (heard) {
      assert.deepEqual([open.status, closed.status, closed.body], [200, 403, "RBAC: access denied"]);
      return;
    }
    assert.deepEqual([open.status, open.body, closed.status, closed.body], [403, "", 403, ""]);
    const lines = await loggedDecisions(envoy, (line) => line.case === name, 2);
    for (const { details, reason } of lines) assert.deepEqual([details, reason], ["ext_authz_error", null]);
  });
}

test("who was not heard stands in our log, with the reason", async (t) => {
  if ((await envoyOrSkip(t)) === undefined) return;
  const line = await garita.printed(/^.*"client refused".*$/m);
  const { listener, reason } = JSON.parse(line) as { listener: string; reason: string };
  assert.equal(listener, "mutual-tls");
  assert.match(reason, /spiffe:\/\/cluster\.local\/ns\/default\/sa\/client/);
});

test("a Unix socket has the mode that was asked for, and is no way in for others", async (t) => {
  if ((await envoyOrSkip(t)) === undefined) return;
  const mode = (name: string) => (statSync(join(folder.path, name)).mode & 0o777).toString(8);
  assert.deepEqual([mode("grpc.sock"), mode("http.sock"), mode("admin.sock")], ["600", "660", "600"]);
});

test("the secret of a gRPC listener: once, exactly, and not by a client's header", async (t) => {
  if ((await envoyOrSkip(t)) === undefined) return;
  assert.equal((await ask("secret", "/open")).status, 200);
  for (const listener of ["wrong-secret", "no-secret", "two-secrets"]) {
    const refused = await ask(listener, "/open", `x-garita-secret: ${SECRET}`);
    assert.deepEqual([listener, refused.status, refused.body], [listener, 403, "RBAC: access denied"]);
  }
  await garita.denial(({ reason, listener }) => reason === "listener/unauthorized" && listener === "secret");
  assert.ok(!garita.log().includes(SECRET));
});
