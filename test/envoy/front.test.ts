import { deepEqual, ok } from "node:assert/strict";
import { networkInterfaces } from "node:os";
import { test } from "node:test";
import { fromBinary, type JsonValue } from "@bufbuild/protobuf";
import { CheckRequestSchema } from "#platform/envoy-api/gen/envoy/service/auth/v3/external_auth_pb";
import { type CaptureServer, startCaptureServer } from "#test/support/envoy/capture-server";
import { exchange } from "#test/support/envoy/clients";
import { envoyOrSkip } from "#test/support/envoy/find-envoy";
import { http2Fate, http2Request } from "#test/support/envoy/raw-http2";
import { type RunningEnvoy, runEnvoy } from "#test/support/envoy/run-envoy";
import { asBytes } from "#test/support/envoy-front/bytes";
import type { DownstreamRequest, Listener } from "#test/support/envoy-front/downstream";
import { passThrough } from "#test/support/envoy-front/pass-through";
import { Random, testSeed } from "#test/support/random";

/**
 * The front that plays Envoy for the cases against a real one: the same request has to become the same CheckRequest, or be
 * refused with the same status. Connection managers are set up as Istio sets them up beside a workload, at the edge, and at
 * the edge behind one trusted proxy; but paths are left raw, because it is for Garita to bring them into normal form.
 */
const listeners = [
  { name: "sidecar", kind: "sidecar", numTrustedProxies: 0 },
  { name: "edge", kind: "gateway", numTrustedProxies: 0 },
  { name: "behind-proxy", kind: "gateway", numTrustedProxies: 1 },
] as const;

const requestsPerRun = 3000;

test("the front makes of a request what Envoy makes of it", async (t) => {
  const binary = await envoyOrSkip(t);
  if (binary === undefined) return;
  const garita = await startCaptureServer();
  const envoy = await runEnvoy(binary, config(garita.port));
  try {
    const random = new Random(testSeed("front"));
    let asked = 0;
    for (let i = 0; i < requestsPerRun; i++) {
      const listener = random.pick(listeners);
      const request = randomRequest(random);
      const real = await send(envoy, garita, listener.name, request);
      const told = JSON.stringify({ listener: listener.name, ...request });
      deepEqual(play(listener, request, real.remote), real.seen, told);
      if (typeof real.seen !== "string") asked++;
    }
    ok(asked > requestsPerRun / 3, `only ${asked} requests got as far as a check`);
  } finally {
    await Promise.all([envoy.stop(), garita.stop()]);
  }
});

/** What the server was asked, or `closed`, or `refused` with the status (HTTP/1; an HTTP/2 answer is not decoded). */
type Seen = string | Asked;
interface Asked {
  readonly line: readonly (string | undefined)[];
  readonly headers: readonly string[];
}

async function send(
  envoy: RunningEnvoy,
  garita: CaptureServer,
  listener: string,
  request: DownstreamRequest,
): Promise<{ readonly seen: Seen; readonly remote: string }> {
  const h2 = request.protocol === "HTTP/2";
  const answer = await exchange(envoy.port(listener), h2 ? http2Request(fieldsOf(request)) : http1Head(request), {
    until: (received) => (h2 ? http2Fate(received) !== undefined : received.includes("\r\n\r\n")),
  });
  const [check] = garita.take();
  if (check !== undefined) {
    const remote = check.metadata("x-garita-remote")[0]?.slice(1, -1) ?? "";
    return { seen: describe(check.message), remote };
  }
  if (h2) return { seen: http2Fate(answer) === "answered" ? "refused" : "closed", remote: "" };
  return { seen: answer === "" ? "closed" : `refused ${answer.slice(9, 12)}`, remote: "" };
}

function play(of: (typeof listeners)[number], request: DownstreamRequest, remoteAddress: string): Seen {
  const listener: Listener = {
    kind: of.kind,
    protocol: "HTTP",
    numTrustedProxies: of.numTrustedProxies,
    trustDomains: ["td"],
    mode: undefined,
    metadataNamespaces: [],
    bodyLimit: undefined,
    workload: { namespace: "foo", labels: {}, gateway: undefined, service: undefined },
  };
  const loopback = { address: "127.0.0.1", port: 1 };
  const connection = {
    tls: false,
    certificate: undefined,
    sni: undefined,
    alpn: undefined,
    peer: loopback,
    local: loopback,
    proxyAddress: undefined,
    remoteAddress,
  };
  const passage = passThrough(listener, connection, request);
  if (passage.kind === "asks") {
    const asked = describe(passage.call.message);
    // Without a route ext_authz is passed over and the router answers; a filter of Istio's decides before it, and so does the front.
    if (!asked.headers.includes("x-forwarded-proto: ")) return asked;
    return request.protocol === "HTTP/2" ? "refused" : "refused 404";
  }
  const { outcome } = passage;
  if (outcome.kind !== "replied") return outcome.kind;
  return request.protocol === "HTTP/2" ? "refused" : `refused ${outcome.reply.status}`;
}

/** A random id is an id; a loopback peer is written down as an address of the machine. */
function describe(message: Uint8Array): Asked {
  const http = fromBinary(CheckRequestSchema, message).attributes?.request?.http;
  const lines = http?.headerMap?.headers ?? [];
  return {
    line: [http?.method, http?.path, http?.host, http?.scheme, http?.protocol],
    headers: lines
      .map(({ key, rawValue }) => `${key}: ${Buffer.from(rawValue).toString("latin1")}`)
      .map((line) => line.replace(/^(x-request-id: )[0-9a-f]{8}-[0-9a-f-]{27}$/, "$1made"))
      .map((line) => (line.startsWith("x-forwarded-for:") ? ownAddresses.reduce(asLoopback, line) : line))
      .sort(),
  };
}

const ownAddresses = Object.values(networkInterfaces())
  .flatMap((addresses) => addresses ?? [])
  .map(({ address }) => address);

function asLoopback(line: string, address: string): string {
  return line.endsWith(address) ? `${line.slice(0, -address.length)}127.0.0.1` : line;
}

function fieldsOf(request: DownstreamRequest): readonly (readonly [string, string])[] {
  const pseudo: readonly (readonly [string, string])[] = [
    [":method", request.method],
    [":scheme", request.scheme],
    [":authority", request.authority ?? ""],
    [":path", request.target],
  ];
  return [...pseudo.filter(([name]) => !request.omit.includes(name)), ...request.headers];
}

function http1Head({ method, target, authority, headers }: DownstreamRequest): string {
  const host = authority === undefined ? [] : [`Host: ${authority}`];
  const lines = headers.map(([name, value]) => `${name}: ${value}`);
  return `${[`${method} ${target} HTTP/1.1`, ...host, ...lines].join("\r\n")}\r\n\r\n`;
}

function randomRequest(random: Random): DownstreamRequest {
  const protocol = random.below(5) < 2 ? "HTTP/2" : "HTTP/1.1";
  const h2 = protocol === "HTTP/2";
  const headers: [string, string][] = [];
  let name = random.pick(headerNames);
  for (let left = random.below(5); left > 0; left--) {
    if (random.below(5) < 3) name = random.pick(headerNames);
    headers.push([h2 ? name.toLowerCase() : name, random.pick(headerValues)]);
  }
  return {
    method: random.below(4) > 0 ? "GET" : random.pick(methods),
    authority: random.below(4) > 0 ? "a.example" : random.pick(h2 ? h2Authorities : authorities),
    target: random.below(5) > 1 ? "/x" : random.pick(targets),
    headers: headers.map(([key, value]) => [key, asBytes(value)]),
    protocol,
    scheme: random.pick(["http", "http", "https", "HTTP"]),
    omit: h2 && random.below(20) === 0 ? [random.pick([":authority", ":method", ":scheme", ":path"])] : [],
    body: "",
  };
}

const methods = ["POST", "HEAD", "OPTIONS", "PUT", "PURGE", "get", "FOO", "M-SEARCH", "MSEARCH", "QUERY", "TRACE"];
const targets = [
  ..."/ /x?y /a/../b * x/y ?x #x // //x/y /%00 a.example:443 http://h.example/x http://h.example http://h.example?x".split(
    " ",
  ),
  ..."HTTP://h.example/x https://h.example/x ftp://h.example/x http://u@h.example/x http://u:p@h.example:80/x".split(
    " ",
  ),
  ..."http://h.example:99999/x http://h.example:/x http:///x http://[::1]:8080/ http://h_h/x http:/x http://a@b@c/x".split(
    " ",
  ),
  "/a b",
  "/a\tb",
  "/\x80",
  "/\\",
];
const authorities = [
  "A.Example:80",
  "a.example.",
  "",
  "u@a.example",
  "a b",
  "a/b",
  "a,b",
  "[::1]:80",
  "a\\b",
  "a?b",
  "a#b",
  "a_b",
  undefined,
];
const h2Authorities = [
  "A.Example:80",
  "a.example.",
  "u@a.example",
  "a/b",
  "a,b",
  "[::1]:80",
  "a\\b",
  "a?b",
  "a#b",
  "a_b",
  "a\x80",
];
const headerNames = [
  ..."x-a X-A x_a x-custom.dot Host Cookie Connection Upgrade TE keep-alive proxy-connection content-type".split(" "),
  ..."x-request-id X-Forwarded-For x-forwarded-proto x-forwarded-host x-forwarded-port x-forwarded-client-cert".split(
    " ",
  ),
  ..."user-agent accept accept-encoding accept-language referer origin authorization cache-control pragma via".split(
    " ",
  ),
  ..."grpc-timeout grpc-accept-encoding x-client-trace-id content-encoding if-match if-none-match if-range range".split(
    " ",
  ),
  ..."if-modified-since if-unmodified-since cdn-loop access-control-request-method access-control-request-headers".split(
    " ",
  ),
  ..."x-envoy-foo x-envoy-internal x-envoy-retry-on x-envoy-original-path x-envoy-original-host x-envoy-original-url".split(
    " ",
  ),
  ..."x-envoy-decorator-operation x-envoy-external-address x-envoy-attempt-count x-envoy-max-retries x-envoy-ip-tags".split(
    " ",
  ),
  ..."x-envoy-downstream-service-cluster x-envoy-downstream-service-node x-envoy-force-trace proxy-status dnt".split(
    " ",
  ),
  ..."x-envoy-expected-rq-timeout-ms x-envoy-upstream-rq-timeout-ms x-envoy-upstream-rq-per-try-timeout-ms".split(" "),
  ..."x-envoy-upstream-rq-timeout-alt-response x-envoy-upstream-alt-stat-name x-envoy-retriable-status-codes".split(
    " ",
  ),
  ..."x-envoy-retriable-header-names x-envoy-retry-grpc-on x-envoy-hedge-on-per-try-timeout x-envoy-is-timeout-retry".split(
    " ",
  ),
  ..."x-envoy-upstream-stream-duration-ms x-real-ip forwarded trailer traceparent http2-settings x(a)".split(" "),
];
const headerValues = [
  ..."1 v1 a=1 b=2 1.1.1.1 https http ftp HTTPS trailers Trailers close keep-alive upgrade websocket WebSocket h2c".split(
    " ",
  ),
  ..."x-a :path x-forwarded-for x-forwarded-host x-forwarded-proto te host a,b application/grpc By=x;Hash=0 */* #f".split(
    " ",
  ),
  ..."https://r.example/p?q HTTPS://R.EXAMPLE/P https://r.example/#f http://a_b/ about:blank /p".split(" "),
  "",
  "10.0.0.9, 2.2.2.2",
  "gzip, trailers",
  "trailers;q=1",
  "websocket, foo",
  "upgrade, x-a",
  "cookie, x-a",
  " x ",
  " \t1\t",
  "\x01",
  "\x80",
  "é",
];

function config(port: number): JsonValue {
  const type = (name: string) => `type.googleapis.com/envoy.extensions.${name}`;
  const extAuthz = {
    "@type": type("filters.http.ext_authz.v3.ExtAuthz"),
    transport_api_version: "V3",
    encode_raw_headers: true,
    include_tls_session: true,
    grpc_service: {
      timeout: "10s",
      envoy_grpc: { cluster_name: "garita" },
      initial_metadata: [{ key: "x-garita-remote", value: "[%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%]" }],
    },
  };
  const manager = ({ kind, numTrustedProxies }: (typeof listeners)[number]) => ({
    "@type": type("filters.network.http_connection_manager.v3.HttpConnectionManager"),
    stat_prefix: "x",
    // Connections that are refused close at once.
    delayed_close_timeout: "0s",
    use_remote_address: kind === "gateway",
    xff_num_trusted_hops: numTrustedProxies,
    forward_client_cert_details: kind === "gateway" ? "SANITIZE_SET" : "APPEND_FORWARD",
    set_current_client_cert_details: { subject: true, uri: true, dns: true },
    upgrade_configs: [{ upgrade_type: "websocket" }],
    http_filters: [
      { name: "ext_authz", typed_config: extAuthz },
      { name: "router", typed_config: { "@type": type("filters.http.router.v3.Router") } },
    ],
    route_config: {
      virtual_hosts: [
        {
          name: "all",
          domains: ["*"],
          routes: [{ match: { prefix: "" }, direct_response: { status: 200, body: { inline_string: "ok" } } }],
        },
      ],
    },
  });
  const address = (number: number) => ({ socket_address: { address: "127.0.0.1", port_value: number } });
  return {
    admin: { address: address(0) },
    static_resources: {
      listeners: listeners.map((listener) => ({
        name: listener.name,
        address: address(0),
        filter_chains: [{ filters: [{ name: "http", typed_config: manager(listener) }] }],
      })),
      clusters: [
        {
          name: "garita",
          type: "STATIC",
          typed_extension_protocol_options: {
            "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
              "@type": type("upstreams.http.v3.HttpProtocolOptions"),
              explicit_http_config: { http2_protocol_options: {} },
            },
          },
          load_assignment: {
            cluster_name: "garita",
            endpoints: [{ lb_endpoints: [{ endpoint: { address: address(port) } }] }],
          },
        },
      ],
    },
  };
}
