import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { CheckAnswer } from "#authz/check/wire/check-answer";
import { bootstrap } from "#envoy-configs/bootstrap";
import { cluster } from "#envoy-configs/clusters";
import { httpExtAuthz } from "#envoy-configs/http-ext-authz";
import { httpListener } from "#envoy-configs/listeners";
import { type CaptureServer, plainAllow, startCaptureServer } from "#test/support/envoy/capture-server";
import { h2, headerValues, http1 } from "#test/support/envoy/clients";
import { type EchoedRequest, startEchoUpstream, type Upstream } from "#test/support/envoy/echo-upstream";
import { envoyOrSkip, findEnvoy } from "#test/support/envoy/find-envoy";
import { type RunningEnvoy, runEnvoy } from "#test/support/envoy/run-envoy";
import { until } from "#test/support/until";

const free = { address: "127.0.0.1", port: 0 };
const denial: CheckAnswer = { ...plainAllow, allowed: false, code: 7, httpStatus: 403 };

let garita: CaptureServer;
let upstream: Upstream;
let envoy: RunningEnvoy;
const found = await findEnvoy();

before(async () => {
  if (!found.ok) return;
  [garita, upstream] = await Promise.all([startCaptureServer(), startEchoUpstream()]);
  const listener = httpListener({
    name: "inbound",
    endpoint: free,
    authorization: httpExtAuthz({ cluster: "garita" }),
    upstream: "http",
    accessLog: true,
  });
  const clusters = [
    cluster({ name: "garita", endpoint: { ...free, port: garita.port }, protocol: "http2" }),
    cluster({ name: "http", endpoint: { ...free, port: upstream.port }, protocol: "http1" }),
  ];
  envoy = await runEnvoy(found.binary, bootstrap({ admin: free, listeners: [listener], clusters }));
});
after(async () => {
  await Promise.all([envoy?.stop(), garita?.stop(), upstream?.stop()]);
});

const echoed = (body: string) => JSON.parse(Buffer.from(body, "latin1").toString("utf8")) as EchoedRequest;

/** Every line of a header that the upstream saw. */
function upstreamLines(body: string, wanted: string): string[] {
  const { rawHeaders } = echoed(body);
  return rawHeaders.filter((_, i) => i % 2 === 1 && rawHeaders[i - 1]?.toLowerCase() === wanted);
}

const get = ["GET /orders HTTP/1.1", "host: orders.shop"];

test("edits of the request reach the upstream as the answer says", async (t) => {
  if ((await envoyOrSkip(t)) === undefined) return;
  garita.answer({
    ...plainAllow,
    setHeaders: [
      { name: "x-user", value: "ann" },
      { name: "x-group", value: "a" },
      { name: "x-group", value: "b", add: true },
      { name: "x-empty", value: "" },
      { name: "x-utf8", value: "caf\xc3\xa9" },
      { name: "x-bytes", value: "caf\xe9" },
      { name: ":path", value: "/normal?q=1" },
    ],
    removeHeaders: ["x-drop", "x-never-sent"],
  });
  const forged = ["x-user: root", "X-User: admin", "x-empty: full", "x-drop: 1", "x-drop: 2", "x-keep: 1", "x-keep: 2"];
  const response = await http1(envoy.port("inbound"), [...get, ...forged]);
  assert.equal(response.status, 200);
  const seen = echoed(response.body);
  assert.equal(seen.target, "/normal?q=1");
  const lines = (name: string) => upstreamLines(response.body, name);
  assert.deepEqual(lines("x-user"), ["ann"]);
  assert.deepEqual(lines("x-group").join(","), "a,b");
  assert.deepEqual(lines("x-empty"), [""]);
  assert.deepEqual(lines("x-bytes"), ["caf%E9"]);
  assert.deepEqual(lines("x-drop"), []);
  assert.deepEqual(lines("x-keep"), ["1", "2"]);
  assert.deepEqual(lines("x-utf8"), ["caf\xc3\xa9"]);
});

test("a line added to a header that the answer does not set joins the client's own, and is lost without one", async (t) => {
  if ((await envoyOrSkip(t)) === undefined) return;
  garita.answer({
    ...plainAllow,
    setHeaders: [
      { name: "x-there", value: "b", add: true },
      { name: "x-absent", value: "b", add: true },
    ],
  });
  const response = await http1(envoy.port("inbound"), [...get, "x-there: a"]);
  assert.deepEqual(upstreamLines(response.body, "x-there"), ["a,b"]);
  assert.deepEqual(upstreamLines(response.body, "x-absent"), []);
});

test("response headers of an allowed request replace and add to the upstream's", async (t) => {
  if ((await envoyOrSkip(t)) === undefined) return;
  garita.answer({
    ...plainAllow,
    responseHeaders: [
      { name: "x-upstream", value: "ours" },
      { name: "set-cookie", value: "a=1" },
      { name: "set-cookie", value: "b=2", add: true },
    ],
  });
  const response = await http1(envoy.port("inbound"), get);
  assert.equal(response.status, 200);
  assert.deepEqual(headerValues(response, "x-upstream"), ["ours"]);
  assert.deepEqual(headerValues(response, "set-cookie"), ["a=1", "b=2"]);
});

test("a response header with several lines is added to the upstream's own", async (t) => {
  if ((await envoyOrSkip(t)) === undefined) return;
  garita.answer({
    ...plainAllow,
    responseHeaders: [
      { name: "x-upstream", value: "2" },
      { name: "X-Upstream", value: "3", add: true },
    ],
  });
  const response = await http1(envoy.port("inbound"), get);
  assert.deepEqual(headerValues(response, "x-upstream"), ["1", "2", "3"]);
});

test("a denial reaches the client with status, every header line and body", async (t) => {
  if ((await envoyOrSkip(t)) === undefined) return;
  garita.answer({
    ...denial,
    code: 16,
    httpStatus: 401,
    body: "caf\u00e9",
    clientHeaders: [
      { name: "www-authenticate", value: 'Bearer realm="shop"' },
      { name: "set-cookie", value: "a=1" },
      { name: "set-cookie", value: "b=2", add: true },
    ],
  });
  const response = await http1(envoy.port("inbound"), get);
  assert.equal(response.status, 401);
  assert.equal(response.body, "caf\xc3\xa9");
  assert.deepEqual(headerValues(response, "www-authenticate"), ['Bearer realm="shop"']);
  assert.deepEqual(headerValues(response, "set-cookie"), ["a=1", "b=2"]);
});

test("a gRPC client gets the body of a denial as grpc-message", async (t) => {
  if ((await envoyOrSkip(t)) === undefined) return;
  garita.answer({ ...denial, body: "RBAC: access denied" });
  const { headers } = await h2(
    envoy.port("inbound"),
    { ":method": "POST", ":path": "/shop.Orders/List", "content-type": "application/grpc", te: "trailers" },
    { body: Buffer.alloc(5) },
  );
  assert.deepEqual(
    [headers[":status"], headers["grpc-status"], headers["grpc-message"]],
    [200, "7", "RBAC: access denied"],
  );
});

test("dynamic metadata is there on allowed and denied requests", async (t) => {
  if ((await envoyOrSkip(t)) === undefined) return;
  const metadata = (id: string): CheckAnswer["metadata"] => [
    ["decision_id", id],
    ["reason", "caf\u00e9"],
  ];
  garita.answer({ ...plainAllow, metadata: metadata("id-allowed") });
  await http1(envoy.port("inbound"), get);
  garita.answer({ ...denial, metadata: metadata("id-denied") });
  await http1(envoy.port("inbound"), get);
  await logged(/200 via_upstream decision=id-allowed reason=caf\u00e9/);
  await logged(/403 ext_authz_denied decision=id-denied reason=caf\u00e9/);
});

test("an answer that cannot be written is a denial for Envoy, not an error", async (t) => {
  if ((await envoyOrSkip(t)) === undefined) return;
  garita.answer({ ...plainAllow, setHeaders: [{ name: "x-a", value: "b\r\nx-c: d" }] });
  const response = await http1(envoy.port("inbound"), [...get, "x-case: fault"]);
  assert.equal(response.status, 403);
  await logged(/403 ext_authz_denied decision=- reason=-/);
});

/** Envoy writes its access log when it has the time. */
function logged(line: RegExp): Promise<number> {
  return until(async () => {
    await envoy.admin("/reopen_logs", "POST");
    return line.test(await envoy.log());
  }, `a line of the access log: ${line}`);
}
