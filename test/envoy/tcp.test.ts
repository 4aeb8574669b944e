import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { JsonObject } from "@bufbuild/protobuf";
import { bootstrap } from "#envoy-configs/bootstrap";
import { cluster } from "#envoy-configs/clusters";
import { envoyJson } from "#envoy-configs/envoy-json";
import { httpExtAuthz, httpExtAuthzSettings } from "#envoy-configs/http-ext-authz";
import { httpListener, type TcpListenerOptions, tcpListener } from "#envoy-configs/listeners";
import { networkExtAuthz } from "#envoy-configs/network-ext-authz";
import { type Certificates, type Leaf, makeCertificates } from "#test/support/certificates";
import { decisionLog, loggedDecisions } from "#test/support/envoy/access-log";
import { exchange, http1 } from "#test/support/envoy/clients";
import { Closing } from "#test/support/envoy/closing";
import { described } from "#test/support/envoy/described";
import { startEchoUpstream, startTcpEcho } from "#test/support/envoy/echo-upstream";
import { filters } from "#test/support/envoy/edit-config";
import { envoyOrSkip, findEnvoy } from "#test/support/envoy/find-envoy";
import { type RunningEnvoy, runEnvoy } from "#test/support/envoy/run-envoy";
import { garitaFolder, type RunningGarita, runGarita } from "#test/support/envoy/run-garita";

const free = { address: "127.0.0.1", port: 0 };

const policies = `
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: clients, namespace: shop }
spec:
  selector: { matchLabels: { app: database } }
  action: ALLOW
  rules:
    - from: [{ source: { principals: [cluster.local/ns/default/sa/client, cluster.local/ns/default/sa/second] } }]
    - from: [{ source: { ipBlocks: [127.0.0.1] } }]
      to: [{ operation: { methods: [GET] } }]
    - when: [{ key: connection.sni, values: [open.shop] }]
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: never, namespace: shop }
spec:
  selector: { matchLabels: { app: database } }
  action: DENY
  rules:
    - when: [{ key: connection.sni, values: [closed.shop] }]
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: open, namespace: shop }
spec:
  selector: { matchLabels: { app: cache } }
  action: ALLOW
  rules: [{}]
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: closed, namespace: shop }
spec:
  selector: { matchLabels: { app: vault } }
`;

const closing = new Closing();
const found = await findEnvoy();
let certificates: Certificates;
let garita: RunningGarita;
let envoy: RunningEnvoy;

before(async () => {
  if (!found.ok) return;
  certificates = closing.add(await makeCertificates());
  const echo = closing.add(await startTcpEcho());
  const upstream = closing.add(await startEchoUpstream());
  const folder = closing.add(await garitaFolder({ "shop/policies.yaml": policies }));
  const workload = { namespace: "shop", labels: { app: "cache" } };
  const grpc = { protocol: "grpc", address: "127.0.0.1:0", peerIdentity: "verified" };
  garita = closing.add(
    await runGarita(folder, {
      listeners: [
        { ...grpc, name: "plain" },
        { ...grpc, name: "of-cache", workload },
      ],
    }),
  );
  const tls = { ...certificates.files("server"), clientCa: certificates.ca };
  const listener = (
    name: string,
    service: string,
    labelsKey: string | undefined,
    more: Partial<TcpListenerOptions> = {},
  ) =>
    tcpListener({
      name,
      endpoint: free,
      authorization: networkExtAuthz({
        cluster: service,
        statPrefix: name,
        ...(labelsKey === undefined ? {} : { labelsKey }),
      }),
      upstream: "echo",
      ...more,
    });
  const http = (name: string, labelsKey: string, app: string | undefined) =>
    httpListener({
      name,
      endpoint: free,
      authorization: httpExtAuthz({ cluster: "plain", labelsKey }),
      ...(app === undefined ? {} : { settings: httpExtAuthzSettings(described(app)) }),
      upstream: "orders",
    });
  const config = envoyJson(
    bootstrap({
      admin: free,
      node: { id: "test", cluster: "test", labels: { key: "database", values: described("database") } },
      listeners: [
        listener("mutual-tls", "plain", "database", { tls, inspectTls: true }),
        listener("plaintext", "plain", "database"),
        listener("cache", "plain", "cache"),
        listener("vault", "plain", "vault"),
        listener("unnamed", "plain", undefined),
        listener("named-by-listener", "of-cache", undefined),
        listener("named-twice", "of-cache", "vault"),
        http("http-by-labels", "vault", undefined),
        http("http-by-extensions", "vault", "cache"),
      ],
      clusters: [
        cluster({ name: "plain", endpoint: garita.endpoint("plain"), protocol: "http2" }),
        cluster({ name: "of-cache", endpoint: garita.endpoint("of-cache"), protocol: "http2" }),
        cluster({ name: "echo", endpoint: { ...free, port: echo.port }, protocol: "http1" }),
        cluster({ name: "orders", endpoint: { ...free, port: upstream.port }, protocol: "http1" }),
      ],
    }),
  ) as JsonObject;
  const { metadata } = config["node"] as { metadata: JsonObject };
  metadata["cache"] = described("cache");
  metadata["vault"] = described("vault");
  const [, proxy] = filters(config, "mutual-tls");
  (proxy!["typed_config"] as JsonObject)["access_log"] = [decisionLog("envoy.filters.network.ext_authz")];
  envoy = closing.add(await runEnvoy(found.binary, config));
});
after(() => closing.close());

const as = (leaf: Leaf, servername: string) => ({
  ...certificates.pem(leaf),
  servername,
});

/** What comes back for the bytes that were sent: themselves when the connection is let through, nothing when it is closed. */
const send = (listener: string, tls?: ReturnType<typeof as>) =>
  exchange(envoy.port(listener), "12345678", {
    until: (received) => received.length === 8,
    ...(tls === undefined ? {} : { tls }),
  });

test("mutual TLS: the peer's names and the SNI decide; who is denied is cut off without a byte", async (t) => {
  if ((await envoyOrSkip(t)) === undefined) return;
  assert.equal(await send("mutual-tls", as("client", "db.shop")), "12345678");
  assert.equal(await send("mutual-tls", as("two-uris", "db.shop")), "12345678");
  assert.equal(await send("mutual-tls", as("operator", "db.shop")), "");
  assert.equal(await send("mutual-tls", as("partner", "db.shop")), "");
  assert.equal(await send("mutual-tls", as("operator", "Open.Shop")), "12345678");
  assert.equal(await send("mutual-tls", as("client", "Closed.Shop")), "");
  assert.equal(await send("mutual-tls", as("stranger", "open.shop")), "");
});

test("an ALLOW rule about HTTP opens no connection", async (t) => {
  if ((await envoyOrSkip(t)) === undefined) return;
  assert.equal(await send("plaintext"), "");
  const line = await garita.denial(({ reason, workload }) => reason === "policy/not-allowed" && workload === "shop/?");
  assert.deepEqual([line.status, line.method, line.path], [0, undefined, undefined]);
});

test("Envoy's access log of a connection tells the decision, allowed or denied", async (t) => {
  if ((await envoyOrSkip(t)) === undefined) return;
  const digest = await garita.digest();
  await send("mutual-tls", as("client", "db.shop"));
  await send("mutual-tls", as("client", "closed.shop"));
  const [allowed] = await loggedDecisions(envoy, ({ outcome }) => outcome === "allow");
  const [denied] = await loggedDecisions(envoy, ({ reason }) => reason === "policy/denied");
  assert.deepEqual(
    [allowed!.rule, allowed!.reason, allowed!.digest],
    ["ns[shop]-policy[clients]-rule[0]", "policy/allowed", digest],
  );
  assert.deepEqual([denied!.outcome, denied!.rule, denied!.digest], ["deny", "ns[shop]-policy[never]-rule[0]", digest]);
  assert.equal((await garita.denial(({ id }) => id === denied!.decision_id)).reason, "policy/denied");
});

test("whose policies: on TCP the node's labels, else the listener's own workload, else nobody's", async (t) => {
  if ((await envoyOrSkip(t)) === undefined) return;
  assert.equal(await send("cache"), "12345678");
  assert.equal(await send("vault"), "");
  assert.equal(await send("unnamed"), "");
  await garita.denial(({ reason, status }) => reason === "workload/unknown" && status === 0);
  assert.equal(await send("named-by-listener"), "12345678");
  assert.equal(await send("named-twice"), "");
});

test("whose policies: on HTTP the route's context extensions go before the node's labels", async (t) => {
  if ((await envoyOrSkip(t)) === undefined) return;
  const status = async (listener: string) =>
    (await http1(envoy.port(listener), ["GET / HTTP/1.1", "host: orders.shop"])).status;
  assert.deepEqual([await status("http-by-labels"), await status("http-by-extensions")], [403, 200]);
});

test("without an answer every connection is closed, whoever asks", async (t) => {
  if ((await envoyOrSkip(t)) === undefined) return;
  assert.equal(await send("cache"), "12345678");
  garita.signal("SIGKILL");
  await garita.exited;
  for (const listener of ["cache", "vault", "named-by-listener"]) assert.equal(await send(listener), "");
  assert.equal(await send("mutual-tls", as("client", "open.shop")), "");
});
