import assert from "node:assert/strict";
import { toJson } from "@bufbuild/protobuf";
import { createProviderConnections } from "#authz/custom/connections";
import type { ProviderOutcome } from "#authz/custom/contract";
import { bootstrap } from "#envoy-configs/bootstrap";
import { cluster } from "#envoy-configs/clusters";
import { httpExtAuthz } from "#envoy-configs/http-ext-authz";
import { httpServiceExtAuthz } from "#envoy-configs/http-ext-authz-http";
import { httpListener, tcpListener } from "#envoy-configs/listeners";
import { networkExtAuthz } from "#envoy-configs/network-ext-authz";
import { systemClock } from "#platform/clock";
import { CheckRequestSchema } from "#platform/envoy-api/gen/envoy/service/auth/v3/external_auth_pb";
import { type CapturedCheck, startCaptureServer } from "#test/support/envoy/capture-server";
import { Closing } from "#test/support/envoy/closing";
import { startEchoUpstream, startTcpEcho } from "#test/support/envoy/echo-upstream";
import { type RunningEnvoy, runEnvoy } from "#test/support/envoy/run-envoy";
import { type GrpcProvider, type GrpcQuestion, startGrpcProvider } from "./grpc-provider.ts";
import { type HttpProvider, type HttpQuestion, startHttpProvider } from "./http-provider.ts";
import { type IstioProviderOptions, istioExtAuthz, istioNetworkExtAuthz } from "./istio-filter.ts";
import { questionOf } from "./question.ts";
import { providersRuleSet } from "./rule-set.ts";

const free = { address: "127.0.0.1", port: 0 };
const patterns = ["X-T", "x-a*", "*-role", "cookie", "te", "*scheme", "content-length", "host", "x-empty"];

/** The providers that are asked, by the name of the listener with Istio's filter. */
export const providers: Readonly<
  Record<string, { readonly kind: "http" | "grpc"; readonly options: IstioProviderOptions }>
> = {
  plain: { kind: "http", options: {} },
  picky: {
    kind: "http",
    options: {
      pathPrefix: "/check?for=",
      includeRequestHeadersInCheck: patterns,
      includeAdditionalHeadersInCheck: {
        "x-t": "fixed",
        "X-New": "50%% %REQ(x-a)%|%REQ(NOPE?:path):3%|%PROTOCOL%",
        "x-role": "%REQ(nope)%",
      },
      includeRequestBodyInCheck: { maxRequestBytes: 8, allowPartialMessage: true },
    },
  },
  older: {
    kind: "http",
    options: { includeHeadersInCheck: ["x-a"], includeRequestBodyInCheck: { maxRequestBytes: 8 } },
  },
  listing: {
    kind: "http",
    options: {
      headersToUpstreamOnAllow: ["x-*", "cookie", "host"],
      headersToDownstreamOnAllow: ["x-*", "set-cookie"],
      headersToDownstreamOnDeny: ["x-*", "set-cookie"],
      statusOnError: 503,
    },
  },
  open: { kind: "http", options: { failOpen: true } },
  grpc: { kind: "grpc", options: { statusOnError: 503 } },
  openGrpc: { kind: "grpc", options: { failOpen: true } },
  text: { kind: "grpc", options: { includeRequestBodyInCheck: { maxRequestBytes: 8, allowPartialMessage: true } } },
  bytes: { kind: "grpc", options: { includeRequestBodyInCheck: { maxRequestBytes: 8, packAsBytes: true } } },
};

const hostOf = (name: string) => `${name.toLowerCase()}.foo.svc.cluster.local`;

/** A question that Garita asked a provider, of which our own filter had told. */
export interface OwnQuestion {
  readonly outcome: ProviderOutcome;
  readonly check: CapturedCheck;
}

export interface BesideIstio {
  /** Listeners by the name of a provider have Istio's filter for it; `garita`, `service` and `garitaTcp` have ours, `tcp` has Istio's. */
  readonly envoy: RunningEnvoy;
  readonly http: HttpProvider;
  readonly grpc: GrpcProvider;
  /** Asks a provider about the request that our own filter told of. */
  askOurselves(name: string): Promise<OwnQuestion>;
  /** What the providers saw since the last time, without what differs from one asking to the next. */
  taken(): readonly unknown[];
  stop(): Promise<void>;
}

/**
 * A real Envoy that asks two providers by the filters that Istio generates, and our own filters beside them. Both see the same request:
 * one listener has Istio's filter, the other ours, and what ours tells Garita becomes the question.
 */
export async function startBesideIstio(binary: string): Promise<BesideIstio> {
  const closing = new Closing();
  try {
    return await start(binary, closing);
  } catch (fault) {
    await closing.close();
    throw fault;
  }
}

async function start(binary: string, closing: Closing): Promise<BesideIstio> {
  const upstream = closing.add(await startEchoUpstream());
  const echo = closing.add(await startTcpEcho());
  const garita = closing.add(await startCaptureServer());
  const http = closing.add(await startHttpProvider());
  const grpc = closing.add(await startGrpcProvider());
  const connections = closing.add(createProviderConnections({ clock: systemClock }));
  const listener = (name: string, authorization: ReturnType<typeof httpExtAuthz>) =>
    httpListener({ name, endpoint: free, authorization, upstream: "http" });
  const istio = Object.entries(providers).map(([name, { kind, options }]) =>
    listener(name, istioExtAuthz(kind, options, kind === "http" ? "provider" : "grpc", hostOf(name))),
  );
  const clusters = [
    cluster({ name: "garita", endpoint: { ...free, port: garita.port }, protocol: "http2" }),
    cluster({ name: "grpc", endpoint: { ...free, port: grpc.port }, protocol: "http2" }),
    cluster({ name: "http", endpoint: { ...free, port: upstream.port }, protocol: "http1" }),
    cluster({ name: "tcp", endpoint: { ...free, port: echo.port }, protocol: "http1" }),
    cluster({ name: "provider", endpoint: { ...free, port: http.port }, protocol: "http1" }),
  ];
  const tcp = (name: string, authorization: ReturnType<typeof networkExtAuthz>) =>
    tcpListener({ name, endpoint: free, authorization, upstream: "tcp" });
  const listeners = [
    listener("garita", httpExtAuthz({ cluster: "garita", bodyBytes: 9 })),
    listener("service", httpServiceExtAuthz({ cluster: "provider", bodyBytes: 9 })),
    tcp("tcp", istioNetworkExtAuthz("grpc", hostOf("grpc"))),
    tcp("garitaTcp", networkExtAuthz({ cluster: "garita", statPrefix: "garita" })),
    ...istio,
  ];
  const envoy = closing.add(await runEnvoy(binary, bootstrap({ admin: free, listeners, clusters })));
  return {
    envoy,
    http,
    grpc,
    async askOurselves(name) {
      const [check] = garita.take();
      assert.ok(check, "our filter asked nothing");
      const entries = Object.entries(providers).map(([each, { kind, options }]) => ({
        name: each.toLowerCase(),
        kind,
        port: kind === "http" ? http.port : grpc.port,
        options: {
          ...options,
          ...(options.statusOnError === undefined ? {} : { statusOnError: String(options.statusOnError) }),
        },
      }));
      const provider = connections.providersOf(providersRuleSet(entries)).find(name.toLowerCase());
      assert.ok(provider, `no provider ${name}`);
      return { outcome: await provider.ask(questionOf(check), 10_000), check };
    },
    taken: () => [...http.take().map(seenByHttp), ...grpc.take().map(seenByGrpc)],
    stop: () => closing.close(),
  };
}

/** What an HTTP provider saw, without the order of headers and without what Envoy says of itself. */
function seenByHttp({ requestLine, headers, body }: HttpQuestion) {
  const own = ["x-envoy-internal", "x-envoy-expected-rq-timeout-ms"];
  const told = headers.filter(([name]) => !own.includes(name)).map(([name, value]) => `${name}: ${value}`);
  return { requestLine, headers: told.toSorted(), body };
}

/** What a gRPC provider saw, without what differs from one request to the next. */
function seenByGrpc({ request, authority }: GrpcQuestion) {
  const json = JSON.stringify(toJson(CheckRequestSchema, request), (key, value) =>
    ["time", "id", "portValue", "x-request-id"].includes(key) ? "any" : value,
  );
  const { attributes } = JSON.parse(json);
  if (attributes.request === undefined) return { authority, ...attributes };
  const headers = Object.entries(attributes.request.http.headers).map((pair) => pair.join(": "));
  return {
    authority,
    ...attributes,
    headers: headers.toSorted(),
    request: { ...attributes.request, http: { ...attributes.request.http, headers: {} } },
  };
}
