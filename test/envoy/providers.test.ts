import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { create, type MessageInitShape, toBinary, toJson } from "@bufbuild/protobuf";
import { createProviderConnections } from "#authz/custom/connections";
import type { ProviderOutcome } from "#authz/custom/contract";
import { bootstrap } from "#envoy-configs/bootstrap";
import { cluster } from "#envoy-configs/clusters";
import { httpExtAuthz } from "#envoy-configs/http-ext-authz";
import { httpServiceExtAuthz } from "#envoy-configs/http-ext-authz-http";
import { httpListener, tcpListener } from "#envoy-configs/listeners";
import { networkExtAuthz } from "#envoy-configs/network-ext-authz";
import { systemClock } from "#platform/clock";
import {
  CheckRequestSchema,
  type CheckResponse,
  CheckResponseSchema,
  DeniedHttpResponseSchema,
  OkHttpResponseSchema,
} from "#platform/envoy-api/gen/envoy/service/auth/v3/external_auth_pb";
import type { StatusCode } from "#platform/envoy-api/gen/envoy/type/v3/http_status_pb";
import { type CapturedCheck, type CaptureServer, startCaptureServer } from "#test/support/envoy/capture-server";
import { exchange, h2, http1 } from "#test/support/envoy/clients";
import { Closing } from "#test/support/envoy/closing";
import { type EchoedRequest, startEchoUpstream, startTcpEcho } from "#test/support/envoy/echo-upstream";
import { envoyOrSkip, findEnvoy } from "#test/support/envoy/find-envoy";
import { type RunningEnvoy, runEnvoy } from "#test/support/envoy/run-envoy";
import {
  type GrpcAnswer,
  type GrpcProvider,
  type GrpcQuestion,
  startGrpcProvider,
} from "#test/support/providers/grpc-provider";
import {
  type HttpProvider,
  type HttpQuestion,
  httpResponse,
  startHttpProvider,
} from "#test/support/providers/http-provider";
import { type IstioProviderOptions, istioExtAuthz, istioNetworkExtAuthz } from "#test/support/providers/istio-filter";
import { questionOf } from "#test/support/providers/question";
import { providersRuleSet } from "#test/support/providers/rule-set";
import { Random, testSeed } from "#test/support/random";

/**
 * What a provider is sent by Garita, compared with what a real Envoy sends it whose filter is the one that Istio generates. Both see the
 * same request: one listener has Istio's filter, the other ours, and what ours tells Garita becomes the question.
 */
const free = { address: "127.0.0.1", port: 0 };
const patterns = ["X-T", "x-a*", "*-role", "cookie", "te", "*scheme", "content-length", "host", "x-empty"];

const providers: Readonly<Record<string, { readonly kind: "http" | "grpc"; readonly options: IstioProviderOptions }>> =
  {
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

const closing = new Closing();
const found = await findEnvoy();
let garita: CaptureServer;
let http: HttpProvider;
let grpc: GrpcProvider;
let envoy: RunningEnvoy;
const connections = createProviderConnections({ clock: systemClock });

before(async () => {
  if (!found.ok) return;
  const upstream = closing.add(await startEchoUpstream());
  const echo = closing.add(await startTcpEcho());
  garita = closing.add(await startCaptureServer());
  http = closing.add(await startHttpProvider());
  grpc = closing.add(await startGrpcProvider());
  closing.add(connections);
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
  envoy = closing.add(await runEnvoy(found.binary, bootstrap({ admin: free, listeners, clusters })));
});
after(() => closing.close());

/** Asks a provider about the request that our own filter told of. */
async function askOurselves(
  name: string,
): Promise<{ readonly outcome: ProviderOutcome; readonly check: CapturedCheck }> {
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

const taken = () => [...http.take().map(seenByHttp), ...grpc.take().map(seenByGrpc)];

const busy = [
  "host: A.Example:80",
  "x-t: 1",
  "x-t: 2",
  "x-a: 1",
  "x-a:",
  "X-Abc: \xe9\xc3\xa9",
  "authorization: Basic abc",
  "authorization: Two",
  "cookie: a=1",
  "cookie: b=2",
  "x-role: r",
  "x-empty:",
  "x-forwarded-for: 1.2.3.4",
  "x-envoy-auth-partial-body: true",
  "x-other: 1",
];

interface Sent {
  readonly head: readonly string[];
  readonly body?: string;
}

const requests: Readonly<Record<string, Sent>> = {
  "many headers": { head: ["GET /a/b?q=1&r=%20x HTTP/1.1", ...busy] },
  "a short body": { head: ["POST /p HTTP/1.1", "host: a", "content-length: 5", "x-a: 1"], body: "hell\xff" },
  "a body of the limit": { head: ["PUT /p HTTP/1.1", "host: a", "content-length: 8"], body: "12345678" },
  "a body beyond the limit": { head: ["POST /p HTTP/1.1", "host: a", "content-length: 9"], body: "123456789" },
  "a long body": { head: ["POST /p HTTP/1.1", "host: a", "content-length: 4000"], body: "z".repeat(4000) },
  "a chunked body": {
    head: ["POST /p HTTP/1.1", "host: a", "transfer-encoding: chunked"],
    body: "5\r\nhello\r\n0\r\n\r\n",
  },
  "an empty chunked body": { head: ["POST /p HTTP/1.1", "host: a", "transfer-encoding: chunked"], body: "0\r\n\r\n" },
  "a POST without a body": { head: ["POST /p HTTP/1.1", "host: a", "content-length: 0"] },
  "te and connection": { head: ["OPTIONS /o HTTP/1.1", "host: a", "te: trailers", "connection: te"] },
  HEAD: { head: ["HEAD //x/%2e%2E/../y HTTP/1.1", "host: [::1]:8080"] },
  "a DELETE with a body": { head: ["DELETE /p HTTP/1.1", "host: a", "content-length: 3"], body: "abc" },
  "an odd method": { head: ["PROPFIND /;a=b HTTP/1.1", "host: a"] },
};

for (const name of Object.keys(providers)) {
  test(`a provider is asked as Istio's Envoy asks it: ${name}`, async (t) => {
    if ((await envoyOrSkip(t)) === undefined) return;
    for (const [title, { head, body }] of Object.entries(requests)) {
      const more = body === undefined ? {} : { body };
      taken();
      const answered = await http1(envoy.port(name), head, more);
      const expected = taken();
      await http1(envoy.port("garita"), head, more);
      const { outcome } = await askOurselves(name);
      if (answered.status === 413) {
        assert.deepEqual([outcome, answered.body], [{ kind: "bodyTooLarge" }, "Payload Too Large"], title);
      } else {
        assert.equal(outcome.kind, "allowed", `${title}: ${JSON.stringify(outcome)}`);
        assert.equal(expected.length, 1, title);
      }
      assert.deepEqual(taken(), expected, title);
    }
    const request = {
      ":method": "GET",
      ":path": "/h2?x",
      ":authority": "h.example",
      cookie: ["a=1", "b=2"],
      "x-t": "1",
    };
    await h2(envoy.port(name), request);
    const expected = taken();
    await h2(envoy.port("garita"), request);
    await askOurselves(name);
    assert.deepEqual(taken(), expected, "HTTP/2");
  });
}

/** What a request came to: the upstream's view with what the client gets beside it, or an answer to the client. */
type Came =
  | {
      readonly to: "upstream";
      readonly method: string;
      readonly target: string;
      readonly headers: readonly string[];
      readonly client: readonly string[];
    }
  | { readonly to: "client"; readonly status: number; readonly headers: readonly string[]; readonly body: string };

/** Envoy's own, of one connection, or of one request. */
const passedOver =
  /^(?:x-forwarded-proto|x-request-id|x-envoy-(?:expected-rq-timeout-ms|upstream-service-time|auth-partial-body)|content-length|trailer|transfer-encoding|connection|date|server|keep-alive)$/;

const listed = (pairs: Iterable<readonly [string, string]>) =>
  [...pairs].filter(([name]) => !passedOver.test(name)).map(([name, value]) => `${name}: ${value}`);

/** Between names order says nothing; lines of one name keep theirs. */
const byName = (all: readonly string[]) => all.toSorted((a, b) => a.split(":")[0]!.localeCompare(b.split(":")[0]!));

async function throughIstio(name: string, head: readonly string[]): Promise<Came> {
  const { status, headers, body } = await http1(envoy.port(name), head);
  if (!headers.some(([header]) => header === "x-upstream")) {
    return {
      to: "client",
      status,
      headers: listed(headers).filter((line) => line !== "content-type: text/plain"),
      body,
    };
  }
  const { method, target, rawHeaders } = JSON.parse(Buffer.from(body, "latin1").toString("utf8")) as EchoedRequest;
  const pairs = rawHeaders.flatMap((each, i) =>
    i % 2 === 0 ? [[each.toLowerCase(), rawHeaders[i + 1]!] as const] : [],
  );
  return { to: "upstream", method, target, headers: listed(pairs).toSorted(), client: byName(listed(headers)) };
}

/** The same, made of an outcome. */
function throughGarita({ outcome, check }: Awaited<ReturnType<typeof askOurselves>>): Came {
  if (outcome.kind === "failed") return { to: "client", status: outcome.status, headers: [], body: "" };
  if (outcome.kind === "bodyTooLarge") return { to: "client", status: 413, headers: [], body: "Payload Too Large" };
  if (outcome.kind === "denied") {
    const { status, headers, body } = outcome;
    return { to: "client", status, headers: listed(headers.map(({ name, value }) => [name, value])), body };
  }
  const { http } = questionOf(check);
  assert.ok(http);
  const request = outcome.request ?? http.request;
  const names = new Set([...http.headerNames, ...[...request.headerEdits()].map(([name]) => name)]);
  const lines = [...names]
    .filter((name) => !name.startsWith(":"))
    .flatMap((name) => request.lines(name).map((value) => [name, value] as const));
  let client: (readonly [string, string])[] = [["x-upstream", "1"]];
  for (const { name, value, add, onlyIf } of outcome.responseHeaders) {
    const has = client.some(([other]) => other === name);
    if (onlyIf !== undefined && has !== (onlyIf === "present")) continue;
    if (!add) client = client.filter(([other]) => other !== name);
    client.push([name, value]);
  }
  return {
    to: "upstream",
    method: request.lines(":method")[0] ?? http.method,
    target: request.target,
    headers: listed([["host", request.lines(":authority")[0] ?? http.authority], ...lines]).toSorted(),
    client: byName(listed(client)),
  };
}

async function compareAnswers(name: string, title: string, target = "/a?q=1&r=2&q=3"): Promise<Came> {
  const head = [`GET ${target} HTTP/1.1`, "host: a", "x-two: 1", "x-two: 2", "x-one: 1", "x-e:", "cookie: c=1"];
  const expected = await throughIstio(name, head);
  await http1(envoy.port("garita"), head);
  assert.deepEqual(throughGarita(await askOurselves(name)), expected, title);
  return expected;
}

const header = (key: string, value: string, more: object = {}) => ({ header: { key, value }, ...more });

const allowances: readonly MessageInitShape<typeof OkHttpResponseSchema>[] = [
  ...[{}, { append: false }, { append: true }].flatMap((append) =>
    [{}, { appendAction: 1 }, { appendAction: 2 }, { appendAction: 3 }, { appendAction: 9 as number }].map(
      (action) => ({
        headers: ["x-one", "X-New", "x-two", "x-e"].map((name) => header(name, "v", { ...append, ...action })),
        responseHeadersToAdd: ["x-upstream", "X-New", "x-two"].map((name) =>
          header(name, "v", { ...append, ...action }),
        ),
      }),
    ),
  ),
  { headers: [header("x-n", "1"), header("x-n", "2"), header("x-n", "3", { append: true })] },
  { headers: [header("x-n", "2", { append: true }), header("x-n", "1")] },
  { headers: [header("x-one", ""), header("x-two", "", { append: true }), header("x-e", "e", { append: true })] },
  { headers: [header("x-one", "", { keepEmptyValue: true })] },
  { headers: [header(":path", "/z?y"), header("host", "other"), header(":method", "PUT"), header(":scheme", "https")] },
  { headers: [header(":authority", "other"), header(":status", "1"), header(":foo", "1")] },
  { headers: [header(":path", "/more", { append: true }), header("host", "x", { append: true })] },
  { headers: [header("x-v", "a\tb caf\u00e9")] },
  { headers: [{ header: { key: "x-raw", rawValue: Buffer.from("r") } }] },
  {
    headers: [header("x-one", "s")],
    headersToRemove: ["x-one", "X-Two", "host", "Host", ":path", "nothing", "", "bad name"],
  },
  { queryParametersToSet: [{ key: "q", value: "9" }] },
  {
    queryParametersToSet: [
      { key: "z", value: "%20" },
      { key: "", value: "v" },
      { key: "B", value: "" },
    ],
  },
  { queryParametersToRemove: ["q"] },
  { queryParametersToRemove: ["zz"] },
  { queryParametersToSet: [{ key: "q", value: "9" }], queryParametersToRemove: ["q", "r"] },
  { headers: [header(":path", "/p?b&a")], queryParametersToSet: [{ key: "k", value: "1" }] },
  {
    responseHeadersToAdd: [
      header("x-n", "1", { appendAction: 2 }),
      header("x-n", "2"),
      header("x-m", "1"),
      header("x-m", "2", { appendAction: 2 }),
      header("x-a", "1", { appendAction: 1 }),
      header("x-a", "2", { appendAction: 1 }),
      header("x-a", "3", { appendAction: 3 }),
      header("x-e", ""),
    ],
  },
];

const targets = ["/a", "/a?", "/a?c&b=%41&a=%20&&=x&a+b=c+d&z", "/a?A=1&a=2&", "/a?x=a=b&x&y=&x=2"];

type Member = CheckResponse["httpResponse"];

function answerBytes(code: number, httpResponse: Member): Uint8Array {
  return toBinary(CheckResponseSchema, create(CheckResponseSchema, { status: { code }, httpResponse }));
}

const ok = (value: MessageInitShape<typeof OkHttpResponseSchema>): Member => ({
  case: "okResponse",
  value: create(OkHttpResponseSchema, value),
});
const denied = (value: MessageInitShape<typeof DeniedHttpResponseSchema>): Member => ({
  case: "deniedResponse",
  value: create(DeniedHttpResponseSchema, value),
});
const errorAnswer = (value: MessageInitShape<typeof DeniedHttpResponseSchema>): Member => ({
  case: "errorResponse",
  value: create(DeniedHttpResponseSchema, value),
});
const status = (code: number) => ({ code: code as StatusCode });

test("an allowing answer over gRPC changes what it changes at Istio's Envoy", async (t) => {
  if ((await envoyOrSkip(t)) === undefined) return;
  for (const value of allowances) {
    grpc.answer(() => answerBytes(0, ok(value)));
    const came = await compareAnswers("grpc", JSON.stringify(value));
    assert.equal(came.to, "upstream");
  }
  for (const target of targets) {
    for (const value of [{ queryParametersToRemove: ["a"] }, { queryParametersToSet: [{ key: "b", value: "1" }] }]) {
      grpc.answer(() => answerBytes(0, ok(value)));
      await compareAnswers("grpc", `${target} ${JSON.stringify(value)}`, target);
    }
  }
});

const RANDOM_ANSWERS = 150;

test("what random answers change, and in which order", async (t) => {
  if ((await envoyOrSkip(t)) === undefined) return;
  const random = new Random(testSeed("random answers"));
  const some = <T>(below: number, make: () => T): T[] => Array.from({ length: random.below(below) }, make);
  const names = ["x-one", "X-Two", "x-new", "x-e", "cookie", "x-envoy-a", "user-agent"];
  const piece = () =>
    some(4, () => random.pick(["a", "b", "A", "%41", "+", ";", "?", "/", "~", "!", "%C3%A9"])).join("");
  const append = () => random.pick([{}, {}, { append: true }, { append: false }]);
  const action = () => random.pick([{}, {}, ...[1, 2, 3, 9].map((appendAction) => ({ appendAction }))]);
  for (let i = 0; i < RANDOM_ANSWERS; i++) {
    const value: MessageInitShape<typeof OkHttpResponseSchema> = {
      headers: [
        ...some(5, () => header(random.pick(names), random.pick(["v", "", "a,b", "w", "\u00e9"]), append())),
        ...some(2, () => header(":path", random.pick(["/p", "/p?b&a", "/?="]))),
        ...some(2, () => header(random.pick(["host", ":authority"]), random.pick(["other", "b:80"]), append())),
      ],
      headersToRemove: some(3, () => random.pick([...names, "nothing", "Host", ":path"])),
      responseHeadersToAdd: some(6, () =>
        header(
          random.pick(["x-upstream", "x-r", "X-R", "x-q"]),
          random.pick(["v", "w", ""]),
          random.pick([append(), action()]),
        ),
      ),
      queryParametersToSet: some(3, () => ({ key: piece(), value: piece() })),
      queryParametersToRemove: some(3, piece),
    };
    const query =
      random.below(4) === 0 ? "" : `?${some(5, () => random.pick([piece(), `${piece()}=${piece()}`])).join("&")}`;
    grpc.answer(() => answerBytes(0, ok(value)));
    await compareAnswers("grpc", `${query} ${JSON.stringify(value)}`, `/a${query}`);
  }
});

const refusals: readonly (readonly [code: number, member: Member])[] = [
  [
    7,
    denied({
      status: status(401),
      headers: [
        header("X-A", "1"),
        header("x-a", "2"),
        header("x-b", "1", { append: true }),
        header("x-c", "1", { append: false }),
        header("x-d", "1", { appendAction: 1 }),
        header("x-e", "1", { appendAction: 3 }),
        header("x-g", ""),
        header("x-i", "1", { append: false }),
        header("x-i", "2", { append: true }),
        header("content-type", "text/x"),
      ],
      body: "hi \u00e9",
    }),
  ],
  ...[0, 99, 100, 101, 200, 204, 304, 418, 599, 600, 1000, 70000].map(
    (code) => [16, denied({ status: status(code) })] as const,
  ),
  [-5, { case: undefined }],
  [7, ok({ headers: [header("x-a", "1")] })],
  [0, denied({ status: status(401) })],
  [0, errorAnswer({ status: status(418) })],
  [
    7,
    errorAnswer({
      status: status(418),
      headers: [header("x-b", "1", { append: true }), header("x-a", "1"), header("x-a", "2")],
      body: "err",
    }),
  ],
  [7, errorAnswer({ body: "err" })],
  [0, ok({ dynamicMetadata: { a: "b" } })],
];

test("a refusing answer over gRPC comes to what it comes to at Istio's Envoy", async (t) => {
  if ((await envoyOrSkip(t)) === undefined) return;
  for (const [code, member] of refusals) {
    grpc.answer(() => answerBytes(code, member));
    for (const name of ["grpc", "openGrpc"]) await compareAnswers(name, `${name} ${code} ${JSON.stringify(member)}`);
  }
  const failures: readonly [string, GrpcAnswer][] = [
    ["no protobuf", () => Buffer.from([0x0a, 0x05, 1])],
    ["bytes that are no text", () => Buffer.from([0x1a, 4, 0x2a, 2, 0xff, 0xfe])],
    ...[1, 4, 7, 14, 16].map((rpcError): [string, GrpcAnswer] => [`status ${rpcError}`, () => ({ rpcError })]),
  ];
  for (const [title, answer] of failures) {
    grpc.answer(answer);
    for (const name of ["grpc", "openGrpc"]) await compareAnswers(name, `${name} ${title}`);
  }
});

const lines = (...all: readonly string[]) => `${all.join("\r\n")}\r\n\r\n`;

const httpAnswers: Readonly<Record<string, string>> = {
  edits: lines(
    "HTTP/1.1 200 OK",
    "X-One: n1",
    "x-one: n2",
    "x-two: t",
    "x-e:",
    "cookie: c",
    "host: evil",
    "set-cookie: a",
    "set-cookie: b",
    "other: o",
    "x-envoy-auth-headers-to-remove: x-e, x-four",
    "content-length: 0",
  ),
  removals: lines(
    "HTTP/1.1 200 OK",
    "x-envoy-auth-headers-to-remove: x-one,,X-Two ,host",
    "x-envoy-auth-headers-to-remove: x-e",
    "x-one: new",
    "content-length: 0",
  ),
  "a refusal": `${lines("HTTP/1.1 401 No", "x-one: 1", "x-one: 2", "host: h", "content-type: text/y", "www-authenticate: W", "location: /l", "x-empty:", "set-cookie: a", "set-cookie: b", "other: caf\xe9", "x-envoy-auth-headers-to-remove: a", "content-length: 5")}bo\ndy`,
  "a chunked refusal": `${lines("HTTP/1.1 403 No", "transfer-encoding: chunked", "trailer: x-t")}3\r\nabc\r\n0\r\nx-t: 1\r\n\r\n`,
  ...Object.fromEntries(
    [201, 204, 299, 302, 304, 400, 404, 429, 499, 500, 503, 599, 600, 999].map((status) => [
      `status ${status}`,
      lines(`HTTP/1.1 ${status} S`, ...(status === 204 || status === 304 || status < 200 ? [] : ["content-length: 0"])),
    ]),
  ),
  "an interim answer": lines("HTTP/1.1 100 Continue") + lines("HTTP/1.1 200 OK", "x-one: 9", "content-length: 0"),
  "early hints": lines("HTTP/1.1 103 E", "link: x") + lines("HTTP/1.1 200 OK", "content-length: 0"),
  switching: lines("HTTP/1.1 101 S", "upgrade: x", "connection: upgrade"),
  "status 99": lines("HTTP/1.1 99 X", "content-length: 0"),
  "status 1000": lines("HTTP/1.1 1000 X", "content-length: 0"),
  "two framings": `${lines("HTTP/1.1 200 OK", "content-length: 3", "transfer-encoding: chunked")}0\r\n\r\n`,
  "two lengths": `${lines("HTTP/1.1 200 OK", "content-length: 2", "content-length: 2")}ab`,
  "many headers": lines("HTTP/1.1 200 OK", ...new Array(150).fill("x-a: 1"), "content-length: 0"),
  "a long header": lines("HTTP/1.1 200 OK", `other: ${"a".repeat(50_000)}`, "content-length: 0"),
};

test("an answer over HTTP comes to what it comes to at Istio's Envoy", async (t) => {
  if ((await envoyOrSkip(t)) === undefined) return;
  for (const [title, answer] of Object.entries(httpAnswers)) {
    http.answer((socket) => void socket.write(Buffer.from(answer, "latin1")));
    for (const name of ["listing", "plain", "open"]) await compareAnswers(name, `${name}: ${title}`);
  }
  const closes: Readonly<Record<string, string>> = {
    nothing: "",
    "half a head": "HTTP/1.1 200 OK\r\nx-a",
    "half a body": `${lines("HTTP/1.1 200 OK", "content-length: 5")}ab`,
    "half a refusal": `${lines("HTTP/1.1 401 No", "content-length: 5")}ab`,
    "a body to the end": `${lines("HTTP/1.0 403 No")}abc`,
    "no HTTP": "hello\r\n\r\n",
  };
  for (const [title, answer] of Object.entries(closes)) {
    http.answer((socket) => void socket.end(Buffer.from(answer, "latin1")));
    for (const name of ["listing", "plain", "open"]) await compareAnswers(name, `${name}: ${title}`);
  }
});

test("a connection is told as Istio's Envoy tells it", async (t) => {
  if ((await envoyOrSkip(t)) === undefined) return;
  grpc.answer(() => Buffer.of());
  taken();
  const talk = (name: string) => exchange(envoy.port(name), "hello", { until: (received) => received.length >= 5 });
  assert.equal(await talk("tcp"), "hello");
  const expected = taken();
  assert.equal(await talk("garitaTcp"), "hello");
  assert.equal((await askOurselves("grpc")).outcome.kind, "allowed");
  assert.deepEqual(taken(), expected);
  grpc.answer(() => answerBytes(7, denied({ status: status(401) })));
  assert.equal(await talk("tcp"), "");
  await talk("garitaTcp");
  assert.equal((await askOurselves("grpc")).outcome.kind, "denied");
});

test("the filter for the HTTP service sends bodies and says that it does", async (t) => {
  if ((await envoyOrSkip(t)) === undefined) return;
  http.answer((socket) => void socket.write(httpResponse(200)));
  taken();
  await http1(envoy.port("service"), ["POST /p HTTP/1.1", "host: a", "content-length: 12", "x-garita-body: 1"], {
    body: "123456789abc",
  });
  const [asked] = http.take();
  assert.equal(asked?.body, "123456789");
  const lines = (wanted: string) => asked?.headers.filter(([name]) => name === wanted).map(([, value]) => value);
  assert.deepEqual([lines("x-garita-body"), lines("x-envoy-auth-partial-body")], [["9"], ["true"]]);
});
