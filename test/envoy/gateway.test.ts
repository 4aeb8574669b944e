import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { bootstrap } from "#envoy-configs/bootstrap";
import { cluster } from "#envoy-configs/clusters";
import { envoyJson } from "#envoy-configs/envoy-json";
import { httpExtAuthz, httpExtAuthzSettings } from "#envoy-configs/http-ext-authz";
import { type HttpListenerOptions, httpListener } from "#envoy-configs/listeners";
import { type Certificates, makeCertificates } from "#test/support/certificates";
import { http1 } from "#test/support/envoy/clients";
import { Closing } from "#test/support/envoy/closing";
import { type EchoedRequest, startEchoUpstream } from "#test/support/envoy/echo-upstream";
import { setInitialMetadata } from "#test/support/envoy/edit-config";
import { envoyOrSkip, findEnvoy } from "#test/support/envoy/find-envoy";
import { type RunningEnvoy, runEnvoy } from "#test/support/envoy/run-envoy";
import { garitaFolder, type RunningGarita, runGarita } from "#test/support/envoy/run-garita";

const free = { address: "127.0.0.1", port: 0 };

const mesh = `
defaultConfig: { gatewayTopology: { numTrustedProxies: 1 } }
`;
const policies = `
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: clients, namespace: edge }
spec:
  selector: { matchLabels: { app: gateway } }
  action: ALLOW
  rules:
    - from: [{ source: { remoteIpBlocks: [203.0.113.0/24, "2001:db8::/32"] } }]
      to: [{ operation: { paths: [/remote] } }]
    - from: [{ source: { ipBlocks: [127.0.0.0/8] } }]
      to: [{ operation: { paths: [/peer] } }]
    - from: [{ source: { ipBlocks: [203.0.113.0/24, 198.51.100.0/24] } }]
      to: [{ operation: { paths: [/no-peer] } }]
    - from: [{ source: { ipBlocks: [198.51.100.9] } }]
      to: [{ operation: { paths: [/peer-by-proxy-protocol] } }]
    - to: [{ operation: { paths: [/but-one] } }]
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: never, namespace: edge }
spec:
  selector: { matchLabels: { app: gateway } }
  action: DENY
  rules:
    - from: [{ source: { remoteIpBlocks: [203.0.113.66] } }]
      to: [{ operation: { paths: [/but-one] } }]
`;

const closing = new Closing();
const found = await findEnvoy();
let certificates: Certificates;
let garita: RunningGarita;
let envoy: RunningEnvoy;

before(async () => {
  if (!found.ok) return;
  certificates = closing.add(await makeCertificates());
  const upstream = closing.add(await startEchoUpstream());
  const folder = closing.add(await garitaFolder({ "mesh.yaml": mesh, "edge/policies.yaml": policies }));
  const grpc = { protocol: "grpc", address: "127.0.0.1:0", peerIdentity: "none" };
  garita = closing.add(
    await runGarita(folder, {
      listeners: [
        { ...grpc, name: "edge" },
        { ...grpc, name: "proxied", proxyProtocol: true },
      ],
    }),
  );
  const tls = certificates.files("server");
  const listener = (name: string, trustedHops: number | undefined, more: Partial<HttpListenerOptions> = {}) =>
    httpListener({
      name,
      endpoint: free,
      ...(more.proxyProtocol === true ? {} : { tls }),
      authorization: httpExtAuthz({ cluster: "edge" }),
      settings: httpExtAuthzSettings({
        "garita.dev/namespace": "edge",
        "garita.dev/labels": '{"app":"gateway"}',
        "garita.dev/kind": "gateway",
      }),
      upstream: "application",
      ...(trustedHops === undefined ? {} : { edge: { trustedHops } }),
      ...more,
    });
  const proxied = { proxyProtocol: true, authorization: httpExtAuthz({ cluster: "proxied" }) };
  const config = envoyJson(
    bootstrap({
      admin: free,
      listeners: [
        listener("no-hops", 0),
        listener("one-hop", 1),
        listener("two-hops", 2),
        listener("remote-not-told", 1),
        listener("proxy-protocol", 0, proxied),
        listener("proxy-protocol-not-told", 0, proxied),
      ],
      clusters: [
        cluster({ name: "edge", endpoint: garita.endpoint("edge"), protocol: "http2" }),
        cluster({ name: "proxied", endpoint: garita.endpoint("proxied"), protocol: "http2" }),
        cluster({ name: "application", endpoint: { ...free, port: upstream.port }, protocol: "http1" }),
      ],
    }),
  );
  setInitialMetadata(config, "remote-not-told", "x-garita-remote", undefined);
  setInitialMetadata(config, "proxy-protocol-not-told", "x-garita-peer", undefined);
  envoy = closing.add(await runEnvoy(found.binary, config));
});
after(() => closing.close());

const ask = (listener: string, path: string, forwardedFor: string | undefined, before?: string) =>
  http1(
    envoy.port(listener),
    [
      `GET ${path} HTTP/1.1`,
      "host: shop.example",
      ...(forwardedFor === undefined ? [] : [`x-forwarded-for: ${forwardedFor}`]),
    ],
    before === undefined ? { tls: { servername: "shop.example" } } : { before },
  );

/** Requests of a client at 127.0.0.1 whose X-Forwarded-For is as given, and whether they get to `/remote`. */
const remotes: readonly (readonly [listener: string, forwardedFor: string | undefined, status: number])[] = [
  ["no-hops", undefined, 403],
  ["no-hops", "203.0.113.7", 403],
  ["one-hop", "203.0.113.7", 200],
  ["one-hop", "9.9.9.9, 203.0.113.7", 200],
  ["one-hop", "203.0.113.7, 9.9.9.9", 403],
  ["one-hop", "2001:db8::1", 200],
  ["one-hop", undefined, 403],
  ["one-hop", "no address", 403],
  ["two-hops", "203.0.113.7, 9.9.9.9", 200],
  ["two-hops", "9.9.9.9, 203.0.113.7", 403],
  ["two-hops", "203.0.113.7", 403],
  ["remote-not-told", "203.0.113.7", 200],
  ["remote-not-told", "9.9.9.9, 203.0.113.7", 200],
  ["remote-not-told", "203.0.113.7, 9.9.9.9", 403],
  ["remote-not-told", undefined, 403],
];

for (const [listener, forwardedFor, status] of remotes) {
  test(`${listener}: X-Forwarded-For ${forwardedFor ?? "absent"} gives ${status}`, async (t) => {
    if ((await envoyOrSkip(t)) === undefined) return;
    const response = await ask(listener, "/remote", forwardedFor);
    assert.equal(response.status, status);
    if (status === 403) assert.equal(response.body, "RBAC: access denied");
    else assert.equal((JSON.parse(response.body) as EchoedRequest).target, "/remote");
  });
}

test("the physical peer stays who it is, whatever the header says", async (t) => {
  if ((await envoyOrSkip(t)) === undefined) return;
  for (const forwardedFor of [undefined, "203.0.113.7", "198.51.100.9, 203.0.113.7"]) {
    assert.equal((await ask("one-hop", "/peer", forwardedFor)).status, 200);
    assert.equal((await ask("one-hop", "/no-peer", forwardedFor)).status, 403);
  }
});

test("a DENY rule for one client holds for that client alone", async (t) => {
  if ((await envoyOrSkip(t)) === undefined) return;
  for (const listener of ["one-hop", "remote-not-told"]) {
    const status = async (forwardedFor: string) => (await ask(listener, "/but-one", forwardedFor)).status;
    assert.deepEqual(
      [await status("203.0.113.66"), await status("203.0.113.67"), await status("203.0.113.66, 203.0.113.67")],
      [403, 200, 200],
    );
  }
});

test("behind PROXY protocol the client's address is the remote one, and the peer is the load balancer if Envoy tells", async (t) => {
  if ((await envoyOrSkip(t)) === undefined) return;
  const from = (address: string) => `PROXY TCP4 ${address} 10.0.0.1 5555 443\r\n`;
  const status = async (listener: string, path: string, address: string) =>
    (await ask(listener, path, undefined, from(address))).status;
  assert.equal(await status("proxy-protocol", "/remote", "203.0.113.7"), 200);
  assert.equal(await status("proxy-protocol", "/remote", "9.9.9.9"), 403);
  assert.equal(await status("proxy-protocol", "/peer", "203.0.113.7"), 200);
  assert.equal(await status("proxy-protocol", "/peer-by-proxy-protocol", "198.51.100.9"), 403);
  // Not told: unknown, so that neither address opens.
  assert.equal(await status("proxy-protocol-not-told", "/peer", "127.0.0.1"), 403);
  assert.equal(await status("proxy-protocol-not-told", "/peer-by-proxy-protocol", "198.51.100.9"), 403);
});
