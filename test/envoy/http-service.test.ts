import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { bootstrap } from "#envoy-configs/bootstrap";
import { type ClusterOptions, cluster } from "#envoy-configs/clusters";
import { envoyJson } from "#envoy-configs/envoy-json";
import { type HttpServiceOptions, httpServiceExtAuthz } from "#envoy-configs/http-ext-authz-http";
import { type HttpListenerOptions, httpListener } from "#envoy-configs/listeners";
import { type Certificates, type Leaf, makeCertificates } from "#test/support/certificates";
import { decisionLog, loggedDecisions } from "#test/support/envoy/access-log";
import { h2, headerValues, http1 } from "#test/support/envoy/clients";
import { Closing } from "#test/support/envoy/closing";
import { type EchoedRequest, startEchoUpstream } from "#test/support/envoy/echo-upstream";
import { authorizationFilter, connectionManager } from "#test/support/envoy/edit-config";
import { envoyOrSkip, findEnvoy } from "#test/support/envoy/find-envoy";
import { type RunningEnvoy, runEnvoy } from "#test/support/envoy/run-envoy";
import { garitaFolder, type RunningGarita, runGarita } from "#test/support/envoy/run-garita";

const free = { address: "127.0.0.1", port: 0 };
const SECRET = "a secret of many bytes";

const policies = `
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: readers, namespace: shop }
spec:
  action: ALLOW
  rules:
    - to: [{ operation: { paths: [/open] } }]
    - from: [{ source: { principals: [cluster.local/ns/default/sa/client] } }]
      to: [{ operation: { paths: [/by-principal] } }]
    - from: [{ source: { principals: [cluster.local/ns/default/sa/second] } }]
      to: [{ operation: { paths: [/second] } }]
    - from: [{ source: { ipBlocks: [127.0.0.1] } }]
      to: [{ operation: { paths: [/by-peer] } }]
    - to: [{ operation: { ports: ["8443"], methods: [POST], hosts: [orders.shop], paths: [/post] } }]
    - to: [{ operation: { paths: [/for-users] } }]
      when: [{ key: "request.headers[x-role]", values: [user] }]
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: never, namespace: shop }
spec:
  action: DENY
  rules:
    - from: [{ source: { principals: [cluster.local/ns/default/sa/second] } }]
      to: [{ operation: { paths: [/open] } }]
      when: [{ key: "request.headers[x-case]", values: [deny-second] }]
    - to: [{ operation: { paths: [/open] } }]
      when: [{ key: "request.headers[x-role]", values: [admin] }]
`;

const workload = { namespace: "shop", labels: { app: "orders" } };
const destination = { address: "10.0.0.7", port: 8443 };
const refusedBody = "RBAC: access denied";

const closing = new Closing();
const found = await findEnvoy();
let certificates: Certificates;
let garita: RunningGarita;
let envoy: RunningEnvoy;

before(async () => {
  if (!found.ok) return;
  certificates = closing.add(await makeCertificates());
  const upstream = closing.add(await startEchoUpstream());
  const folder = closing.add(await garitaFolder({ "shop/policies.yaml": policies }));
  await writeFile(join(folder.path, "secret"), `${SECRET}\n`);
  const server = certificates.files("server");
  const unset = { protocol: "http", address: "127.0.0.1:0", workload, destination };
  const common = { ...unset, peerIdentity: "verified" };
  const told = { ...common, attributeHeaders: true };
  garita = closing.add(
    await runGarita(folder, {
      listeners: [
        { ...told, name: "secret", secretFile: "secret" },
        {
          ...told,
          name: "mutual-tls",
          tls: {
            certificateFile: server.certificate,
            keyFile: server.key,
            clientCaFile: certificates.ca,
            allowedClients: ["spiffe://cluster.local/ns/garita/sa/envoy"],
          },
        },
        { ...common, name: "untold" },
        { ...unset, name: "unset", attributeHeaders: true },
        { ...common, name: "prefixed", pathPrefix: "/ask" },
      ],
    }),
  );
  const listener = (name: string, service: HttpServiceOptions, more: Partial<HttpListenerOptions> = {}) =>
    httpListener({
      name,
      endpoint: free,
      tls: { ...server, clientCa: certificates.ca },
      authorization: httpServiceExtAuthz(service),
      upstream: "orders",
      ...more,
    });
  const asked = (name: string, to: string, tls?: ClusterOptions["tls"]) =>
    cluster({ name, endpoint: garita.endpoint(to), protocol: "http1", ...(tls === undefined ? {} : { tls }) });
  const garitaTls = (client: Leaf) => ({
    ca: certificates.ca,
    serverName: { dns: "garita.internal" },
    client: certificates.files(client),
  });
  const config = envoyJson(
    bootstrap({
      admin: free,
      listeners: [
        listener("secret", { cluster: "secret", secret: SECRET }),
        listener("as-received", { cluster: "secret", secret: SECRET }),
        httpListener({
          name: "plaintext",
          endpoint: free,
          upstream: "orders",
          authorization: httpServiceExtAuthz({ cluster: "secret", secret: SECRET }),
        }),
        listener("wrong-secret", { cluster: "secret", secret: `${SECRET}!` }),
        listener("no-secret", { cluster: "secret" }),
        listener("mutual-tls", { cluster: "mutual-tls" }),
        listener("wrong-client", { cluster: "wrong-client" }),
        listener("untold", { cluster: "untold" }),
        listener("unset", { cluster: "unset", issuer: true }),
        listener("prefixed", { cluster: "prefixed", pathPrefix: "/ask" }),
        listener("not-prefixed", { cluster: "prefixed" }),
      ],
      clusters: [
        asked("secret", "secret"),
        asked("mutual-tls", "mutual-tls", garitaTls("garita-client")),
        asked("wrong-client", "mutual-tls", garitaTls("client")),
        asked("untold", "untold"),
        asked("unset", "unset"),
        asked("prefixed", "prefixed"),
        cluster({ name: "orders", endpoint: { ...free, port: upstream.port }, protocol: "http1" }),
      ],
    }),
  );
  connectionManager(config, "as-received")["normalize_path"] = false;
  connectionManager(config, "wrong-client")["access_log"] = [decisionLog("envoy.filters.http.ext_authz")];
  // A careless Envoy: it forwards what clients write under our names to a listener that does not believe them.
  const careless = authorizationFilter(config, "untold");
  delete careless["disallowed_headers"];
  delete (careless["http_service"] as { authorization_request?: unknown }).authorization_request;
  envoy = closing.add(await runEnvoy(found.binary, config));
});
after(() => closing.close());

const as = (leaf: Leaf, ...alpn: string[]) => ({
  ...certificates.pem(leaf),
  ...(alpn.length === 0 ? {} : { ALPNProtocols: alpn }),
});
const get = (path: string, ...headers: string[]) => [`GET ${path} HTTP/1.1`, "host: orders.shop", ...headers];
const ask = (listener: string, leaf: Leaf, path: string, ...headers: string[]) =>
  http1(envoy.port(listener), get(path, ...headers), { tls: as(leaf) });

for (const listener of ["secret", "mutual-tls"]) {
  test(`${listener}: the peer that Envoy verified gets in by its name, others do not`, async (t) => {
    if ((await envoyOrSkip(t)) === undefined) return;
    const status = async (leaf: Leaf, path: string) => (await ask(listener, leaf, path)).status;
    assert.deepEqual(
      [
        await status("client", "/open"),
        await status("client", "/by-principal"),
        await status("operator", "/by-principal"),
        await status("client", "/by-peer"),
        await status("client", "/nowhere"),
      ],
      [200, 200, 403, 200, 403],
    );
    const denied = await ask(listener, "operator", "/by-principal");
    assert.deepEqual([denied.body, headerValues(denied, "x-upstream")], [refusedBody, []]);
    assert.deepEqual(
      denied.headers.filter(([name]) => name.startsWith("x-garita")),
      [],
    );
    const two = await h2(envoy.port(listener), { ":path": "/by-principal" }, { tls: as("client", "h2") });
    assert.equal(two.headers[":status"], 200);
  });
}

test("method, host, body and the listener's own port: decided, and passed on whole", async (t) => {
  if ((await envoyOrSkip(t)) === undefined) return;
  const head = ["POST /post?q=1 HTTP/1.1", "host: orders.shop", "content-length: 4"];
  const posted = await http1(envoy.port("secret"), head, { body: "body", tls: as("client") });
  assert.equal(posted.status, 200);
  const { method, target, body } = JSON.parse(posted.body) as EchoedRequest;
  assert.deepEqual([method, target, body], ["POST", "/post?q=1", "body"]);
  assert.equal((await ask("secret", "client", "/post")).status, 403);
});

test("several names: without the certificate they are one text, which opens no door but may close one", async (t) => {
  if ((await envoyOrSkip(t)) === undefined) return;
  assert.equal((await ask("secret", "two-uris", "/second")).status, 403);
  assert.equal((await ask("secret", "two-uris", "/open")).status, 200);
  assert.equal((await ask("secret", "two-uris", "/open", "x-case: deny-second")).status, 403);
  assert.equal((await ask("secret", "client", "/open", "x-case: deny-second")).status, 200);
});

test("forged headers: Envoy's own replace them, the rest is dropped, none reaches the upstream", async (t) => {
  if ((await envoyOrSkip(t)) === undefined) return;
  const lines = [
    "x-garita-uris: [spiffe://cluster.local/ns/default/sa/client]",
    "X-Garita-Peer: [127.0.0.1]",
    "x-garita-subject: [CN=client]",
    "x-garita-dns: [client.example]",
    "x-garita-tls: [TLSv1.3]",
    "x-garita-remote: [127.0.0.1]",
    "x-garita-fingerprint: [00]",
    "x-garita-issuer: [00]",
    "x-garita-secret: wrong",
    "x-garita-decision: forged",
    "x-garita-reason: policy/allowed",
    "x-garita-status: 200",
    "x-envoy-auth-headers-to-remove: x-keep",
    "x-keep: 1",
    "x-forwarded-client-cert: URI=spiffe://cluster.local/ns/default/sa/client",
  ];
  for (const [port, tls] of [
    ["plaintext", {}],
    ["secret", { tls: as("operator") }],
  ] as const) {
    const refused = await http1(envoy.port(port), get("/by-principal", ...lines), tls);
    assert.deepEqual([port, refused.status, refused.body], [port, 403, refusedBody]);
    const open = await http1(envoy.port(port), get("/open", ...lines), tls);
    assert.equal(open.status, 200);
    const { rawHeaders } = JSON.parse(open.body) as EchoedRequest;
    const names = rawHeaders.filter((_, i) => i % 2 === 0).map((name) => name.toLowerCase());
    assert.deepEqual(
      names.filter((name) => name.startsWith("x-garita-") || name.includes("client-cert")),
      [],
    );
    assert.ok(names.includes("x-keep"));
  }
  const two = { ":path": "/by-principal", "x-garita-uris": ["[spiffe://cluster.local/ns/default/sa/client]", "[]"] };
  assert.equal((await h2(envoy.port("plaintext"), two)).headers[":status"], 403);
});

test("a listener without attributeHeaders believes none of them, also when Envoy forwards a client's own", async (t) => {
  if ((await envoyOrSkip(t)) === undefined) return;
  const forged = "x-garita-uris: [spiffe://cluster.local/ns/default/sa/client]";
  assert.equal((await ask("untold", "client", "/by-principal", forged)).status, 403);
  assert.equal((await ask("untold", "client", "/by-peer", "x-garita-peer: [127.0.0.1]")).status, 403);
  // Nobody known: a DENY rule by name holds.
  assert.equal((await ask("untold", "client", "/open", "x-case: deny-second", forged)).status, 403);
  const open = await ask("untold", "client", "/open", forged, "x-garita-other: 1");
  assert.equal(open.status, 200);
  const { rawHeaders } = JSON.parse(open.body) as EchoedRequest;
  assert.deepEqual(
    rawHeaders.filter((name) => name.toLowerCase().startsWith("x-garita")),
    [],
  );
});

test("peerIdentity unset: the issuer that Envoy adds makes the identity count", async (t) => {
  if ((await envoyOrSkip(t)) === undefined) return;
  assert.equal((await ask("unset", "client", "/by-principal")).status, 200);
  assert.equal((await ask("unset", "operator", "/by-principal")).status, 403);
});

test("an Envoy that does not present the secret is refused, whatever it asks", async (t) => {
  if ((await envoyOrSkip(t)) === undefined) return;
  for (const listener of ["wrong-secret", "no-secret"]) {
    const refused = await ask(listener, "client", "/open", `x-garita-secret: ${SECRET}`);
    assert.deepEqual([listener, refused.status, refused.body], [listener, 403, refusedBody]);
  }
  await garita.denial(({ reason, listener }) => reason === "listener/unauthorized" && listener === "secret");
  assert.ok(!garita.log().includes(SECRET));
});

test("an Envoy whose own certificate is not on the list is not heard: fails closed", async (t) => {
  if ((await envoyOrSkip(t)) === undefined) return;
  const refused = await ask("wrong-client", "client", "/open", "x-case: wrong-client");
  assert.deepEqual([refused.status, refused.body], [403, ""]);
  const [line] = await loggedDecisions(envoy, (logged) => logged.case === "wrong-client");
  assert.deepEqual([line!.details, line!.reason], ["ext_authz_error", null]);
  await garita.printed(/"listener":"mutual-tls".*client refused/);
});

test("a path that is not in normal form is refused, for this answer cannot change it", async (t) => {
  if ((await envoyOrSkip(t)) === undefined) return;
  for (const path of ["/a/../open", "/%6fpen"]) {
    const refused = await ask("as-received", "client", path);
    assert.deepEqual([path, refused.status, refused.body], [path, 403, refusedBody]);
    assert.equal((await ask("secret", "client", path)).status, 200);
  }
  await garita.denial(({ reason }) => reason === "path/not-normal");
  assert.equal((await ask("as-received", "client", "/open")).status, 200);
});

test("joined lines of a header: one that may hide another closes the door", async (t) => {
  if ((await envoyOrSkip(t)) === undefined) return;
  assert.equal((await ask("secret", "client", "/for-users", "x-role: user")).status, 200);
  assert.equal((await ask("secret", "client", "/for-users", "x-role: user", "x-role: guest")).status, 403);
  assert.equal((await ask("secret", "client", "/open", "x-role: user", "x-role: admin")).status, 403);
  assert.equal((await ask("secret", "client", "/open", "x-role: user")).status, 200);
});

test("a path prefix is taken off again, and a request without it is refused", async (t) => {
  if ((await envoyOrSkip(t)) === undefined) return;
  const open = await ask("prefixed", "client", "/open");
  assert.equal(open.status, 200);
  assert.equal((JSON.parse(open.body) as EchoedRequest).target, "/open");
  assert.equal((await ask("prefixed", "client", "/nowhere")).status, 403);
  assert.equal((await ask("not-prefixed", "client", "/open")).status, 403);
  await garita.denial(({ reason, listener }) => reason === "request/unreadable" && listener === "prefixed");
});
