import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { OkHttpResponseSchema } from "#platform/envoy-api/gen/envoy/service/auth/v3/external_auth_pb";
import { http1 } from "#test/support/envoy/clients";
import type { EchoedRequest } from "#test/support/envoy/echo-upstream";
import { envoyOrSkip, findEnvoy } from "#test/support/envoy/find-envoy";
import { type BesideIstio, type OwnQuestion, startBesideIstio } from "#test/support/providers/beside-istio";
import { answerBytes, denied, errorAnswer, type Member, ok, status } from "#test/support/providers/check-answers";
import type { GrpcAnswer } from "#test/support/providers/grpc-provider";
import { questionOf } from "#test/support/providers/question";
import { Random, testSeed } from "#test/support/random";

/** What a provider's answer comes to by Garita, compared with what it comes to by a real Envoy whose filter is the one that Istio generates. */
const found = await findEnvoy();
let scene: BesideIstio;

before(async () => {
  if (found.ok) scene = await startBesideIstio(found.binary);
});
after(() => scene?.stop());

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
  const { status, headers, body } = await http1(scene.envoy.port(name), head);
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
function throughGarita({ outcome, check }: OwnQuestion): Came {
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
  await http1(scene.envoy.port("garita"), head);
  assert.deepEqual(throughGarita(await scene.askOurselves(name)), expected, title);
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

test("an allowing answer over gRPC changes what it changes at Istio's Envoy", async (t) => {
  if ((await envoyOrSkip(t)) === undefined) return;
  for (const value of allowances) {
    scene.grpc.answer(() => answerBytes(0, ok(value)));
    const came = await compareAnswers("grpc", JSON.stringify(value));
    assert.equal(came.to, "upstream");
  }
  for (const target of targets) {
    for (const value of [{ queryParametersToRemove: ["a"] }, { queryParametersToSet: [{ key: "b", value: "1" }] }]) {
      scene.grpc.answer(() => answerBytes(0, ok(value)));
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
    scene.grpc.answer(() => answerBytes(0, ok(value)));
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
    scene.grpc.answer(() => answerBytes(code, member));
    for (const name of ["grpc", "openGrpc"]) await compareAnswers(name, `${name} ${code} ${JSON.stringify(member)}`);
  }
  const failures: readonly [string, GrpcAnswer][] = [
    ["no protobuf", () => Buffer.from([0x0a, 0x05, 1])],
    ["bytes that are no text", () => Buffer.from([0x1a, 4, 0x2a, 2, 0xff, 0xfe])],
    ...[1, 4, 7, 14, 16].map((rpcError): [string, GrpcAnswer] => [`status ${rpcError}`, () => ({ rpcError })]),
  ];
  for (const [title, answer] of failures) {
    scene.grpc.answer(answer);
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
    scene.http.answer((socket) => void socket.write(Buffer.from(answer, "latin1")));
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
    scene.http.answer((socket) => void socket.end(Buffer.from(answer, "latin1")));
    for (const name of ["listing", "plain", "open"]) await compareAnswers(name, `${name}: ${title}`);
  }
});
