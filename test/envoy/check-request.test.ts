import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { writeFileSync } from "node:fs";
import { after, before, test } from "node:test";
import type { JsonObject, JsonValue } from "@bufbuild/protobuf";
import { decodeCheckRequest } from "#authz/check/wire/decode-check-request";
import { bootstrap } from "#envoy-configs/bootstrap";
import { cluster } from "#envoy-configs/clusters";
import { envoyJson } from "#envoy-configs/envoy-json";
import { httpExtAuthz, httpExtAuthzSettings } from "#envoy-configs/http-ext-authz";
import { type HttpListenerOptions, httpListener, tcpListener } from "#envoy-configs/listeners";
import { networkExtAuthz } from "#envoy-configs/network-ext-authz";
import { type Certificates, type Leaf, makeCertificates } from "#test/support/certificates";
import { type CaptureServer, plainAllow, startCaptureServer } from "#test/support/envoy/capture-server";
import { exchange, h2, http1 } from "#test/support/envoy/clients";
import { startEchoUpstream, startTcpEcho, type Upstream } from "#test/support/envoy/echo-upstream";
import { envoyOrSkip, findEnvoy } from "#test/support/envoy/find-envoy";
import { type RunningEnvoy, runEnvoy } from "#test/support/envoy/run-envoy";
import { assertMeant, messageFile, wireCases } from "#test/support/wire/wire-case";

/** Set to keep the messages of this run as `test/cases/wire/*.bin`. */
const KEEP = process.env["KEEP_WIRE_CASES"] === "1";

const loopback = { address: "127.0.0.1", port: 0 };
const names = { "garita.dev/workload": "orders-1", "garita.dev/namespace": "shop" };

let certificates: Certificates;
let garita: CaptureServer;
let upstream: Upstream;
let tcpUpstream: Upstream;
let envoy: RunningEnvoy;
const found = await findEnvoy();

before(async () => {
  if (!found.ok) return;
  certificates = await makeCertificates();
  [garita, upstream, tcpUpstream] = await Promise.all([startCaptureServer(), startEchoUpstream(), startTcpEcho()]);
  envoy = await runEnvoy(found.binary, config());
});
after(async () => {
  await Promise.all([envoy?.stop(), garita?.stop(), upstream?.stop(), tcpUpstream?.stop(), certificates?.remove()]);
});

function config(): JsonValue {
  const tls = { ...certificates.files("server"), clientCa: certificates.ca };
  const http = (name: string, more: Partial<HttpListenerOptions> = {}) =>
    httpListener({
      name,
      endpoint: loopback,
      authorization: httpExtAuthz({ cluster: "garita", metadataNamespaces: ["garita.test"] }),
      settings: httpExtAuthzSettings(names),
      upstream: "http",
      ...more,
    });
  const authorization = networkExtAuthz({ cluster: "garita", statPrefix: "tcp", labelsKey: "labels" });
  const tcp = { endpoint: loopback, authorization, upstream: "tcp" };
  const json = envoyJson(
    bootstrap({
      admin: loopback,
      node: { id: "test", cluster: "test", labels: { key: "labels", values: names } },
      listeners: [
        http("plaintext"),
        http("joined"),
        http("mutual-tls", { tls }),
        http("proxy-protocol", { proxyProtocol: true }),
        http("metadata"),
        tcpListener({ ...tcp, name: "tcp" }),
        tcpListener({ ...tcp, name: "tcp-mutual-tls", tls, inspectTls: true }),
      ],
      clusters: [
        cluster({ name: "garita", endpoint: { ...loopback, port: garita.port }, protocol: "http2" }),
        cluster({ name: "http", endpoint: { ...loopback, port: upstream.port }, protocol: "http1" }),
        cluster({ name: "tcp", endpoint: { ...loopback, port: tcpUpstream.port }, protocol: "http1" }),
      ],
    }),
  );
  const filters = httpFilters(json, "joined");
  delete ((filters[0] as JsonObject)["typed_config"] as JsonObject)["encode_raw_headers"];
  httpFilters(json, "metadata").unshift(publishMetadata);
  return json;
}

/** The HTTP filters of a listener, to edit what our builders do not offer. */
function httpFilters(json: JsonValue, listener: string): JsonValue[] {
  type Config = {
    static_resources: {
      listeners: { name: string; filter_chains: [{ filters: [{ typed_config: { http_filters: JsonValue[] } }] }] }[];
    };
  };
  const { listeners } = (json as unknown as Config).static_resources;
  return listeners.find(({ name }) => name === listener)!.filter_chains[0].filters[0].typed_config.http_filters;
}

const publishMetadata: JsonValue = {
  name: "envoy.filters.http.set_metadata",
  typed_config: {
    "@type": "type.googleapis.com/envoy.extensions.filters.http.set_metadata.v3.Config",
    metadata: [
      {
        metadata_namespace: "garita.test",
        value: { role: "admin", roles: ["a", 1, "b"], number: 1, nested: { role: "admin" } },
      },
    ],
  },
};

const clientTls = (leaf: Leaf, servername: string | undefined, alpn: string[] = ["http/1.1"]) => ({
  ...certificates.pem(leaf),
  ALPNProtocols: alpn,
  ...(servername === undefined ? {} : { servername }),
});

const rawLines = [
  "GET /a/../b?q=%41&r=/../ HTTP/1.1",
  "Host: App.example:8443",
  "X-Role: user",
  "Cookie: a=1",
  "x-role: admin",
  "x-bytes: caf\xe9",
  "x-empty:",
  "x-list: a, b",
  "cookie: b=2",
  "x-garita-peer: [6.6.6.6]",
];
const get = ["GET / HTTP/1.1", "host: orders.shop"];

/** How each case is sent. */
const send: { readonly [name: string]: () => Promise<unknown> } = {
  "http1-plaintext": () => http1(envoy.port("plaintext"), rawLines),
  "http1-joined": () => http1(envoy.port("joined"), rawLines),
  "http2-mutual-tls": () =>
    h2(
      envoy.port("mutual-tls"),
      { ":method": "POST", ":path": "/orders", ":authority": "orders.shop", "content-type": "text/plain" },
      { body: Buffer.from("one order"), tls: clientTls("client", "Orders.Shop", ["h2"]) },
    ),
  "grpc-two-names": () => {
    garita.answer({ ...plainAllow, allowed: false, code: 7, httpStatus: 403, body: "no" });
    return h2(
      envoy.port("mutual-tls"),
      {
        ":method": "POST",
        ":path": "/shop.Orders/List",
        ":authority": "orders.shop",
        "content-type": "application/grpc",
        te: "trailers",
      },
      { body: Buffer.from([0, 0, 0, 0, 0]), tls: clientTls("two-uris", "orders.shop", ["h2"]) },
    );
  },
  "http1-dns-name": () => http1(envoy.port("mutual-tls"), get, { tls: clientTls("dns-only", undefined) }),
  "http1-subject": () => http1(envoy.port("mutual-tls"), get, { tls: clientTls("subject-only", "orders.shop") }),
  "http1-proxy-protocol": () =>
    http1(envoy.port("proxy-protocol"), [...get, "x-forwarded-for: 9.9.9.9"], {
      before: "PROXY TCP4 7.7.7.7 10.1.2.3 5555 443\r\n",
    }),
  "http1-filter-metadata": () => http1(envoy.port("metadata"), get),
  "tcp-plaintext": () => exchange(envoy.port("tcp"), "ping", { until: (received) => received === "ping" }),
  "tcp-mutual-tls": () =>
    exchange(envoy.port("tcp-mutual-tls"), "ping", {
      until: (received) => received === "ping",
      tls: clientTls("client", "DB.Shop", []),
    }),
};

const certificateNames = (pem: string) => new X509Certificate(pem).subjectAltName ?? "";

for (const meant of wireCases()) {
  test(`${meant.name}: ${meant.sent}`, async (t) => {
    if ((await envoyOrSkip(t)) === undefined) return;
    garita.answer(plainAllow);
    garita.take();
    await send[meant.name]!();
    const [check, ...others] = garita.take();
    assert.ok(check, "Envoy did not ask");
    assert.equal(others.length, 0, "Envoy asked more than once");
    const decoded = decodeCheckRequest(check.message);
    assert.ok(decoded.ok, decoded.ok ? "" : decoded.fault);
    if (KEEP) writeFileSync(messageFile(meant.name), check.message);
    assertMeant(decoded.request, meant, certificateNames);
    for (const [name, value] of Object.entries(meant.callMetadata))
      assert.deepEqual(check.metadata(name), [value], name);
  });
}

test("every case is sent, and everything sent is a case", () => {
  assert.deepEqual(
    Object.keys(send).sort(),
    wireCases()
      .map(({ name }) => name)
      .sort(),
  );
});
