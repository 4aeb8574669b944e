import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { bootstrap } from "#envoy-configs/bootstrap";
import { cluster } from "#envoy-configs/clusters";
import { envoyJson } from "#envoy-configs/envoy-json";
import { httpExtAuthz, httpExtAuthzSettings } from "#envoy-configs/http-ext-authz";
import { httpServiceExtAuthz } from "#envoy-configs/http-ext-authz-http";
import { httpListener } from "#envoy-configs/listeners";
import type { HttpFilter } from "#platform/envoy-api/gen/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb";
import { decisionLog, loggedDecisions } from "#test/support/envoy/access-log";
import { h2, headerValues, http1, type RawResponse } from "#test/support/envoy/clients";
import { Closing } from "#test/support/envoy/closing";
import { type EchoedRequest, startEchoUpstream } from "#test/support/envoy/echo-upstream";
import { connectionManager } from "#test/support/envoy/edit-config";
import { envoyOrSkip, findEnvoy } from "#test/support/envoy/find-envoy";
import { type RunningEnvoy, runEnvoy } from "#test/support/envoy/run-envoy";
import { garitaFolder, type RunningGarita, runGarita } from "#test/support/envoy/run-garita";
import type { Issuer } from "#test/support/issuer/issuer";
import { startIssuer } from "#test/support/issuer/start-issuer";

const free = { address: "127.0.0.1", port: 0 };

const policies = (issuer: Issuer) => `
apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: { name: tokens, namespace: shop }
spec: { jwtRules: [{ issuer: "${issuer.issuer}", jwksUri: "${issuer.jwksUri}" }] }
---
apiVersion: garita.dev/v1alpha1
kind: AuthorizationPolicy
metadata: { name: login, namespace: shop }
spec:
  action: DENY
  rules:
  - to: [{ operation: { paths: ["/account*"] } }]
    cel:
    - claims.size() == 0
    - '"text/html" in request.headers["accept"].split(",")'
    denyResponse:
      status: 401
      headers:
        content-type: text/html; charset=utf-8
        www-authenticate: Bearer realm="shop"
        x-target: { cel: request.target }
      body: { cel: '"<a href=/login?to=" + request.path + ">Log in</a> caf\\u00e9"' }
  - to: [{ operation: { paths: ["/account*"] } }]
    cel: [claims.size() == 0]
---
apiVersion: garita.dev/v1alpha1
kind: AuthorizationPolicy
metadata: { name: members, namespace: shop }
spec:
  rules:
  - to: [{ operation: { paths: ["/account*"] } }]
    cel:
    - '"members" in claims.groups'
    - claims.plan == "gold" || request.method == "GET"
    allowResponse:
      requestHeaders:
        x-user: { cel: string(claims.sub) }
        x-groups: { cel: 'claims.groups.join(",")' }
        x-nothing: { cel: '""' }
      responseHeaders: { cache-control: private }
      dynamicMetadata: { plan: { cel: string(claims.plan) } }
  - to: [{ operation: { paths: [/door] } }]
    allowResponse: { requestHeaders: { x-user: { cel: 'request.headers["x-name"]' } } }
  - to: [{ operation: { paths: [/untold] } }]
    allowResponse: { requestHeaders: { x-untold: a } }
`;

const closing = new Closing();
const found = await findEnvoy();
let garita: RunningGarita;
let envoy: RunningEnvoy;
let issuer: Issuer;

before(async () => {
  if (!found.ok) return;
  issuer = closing.add(await startIssuer());
  const upstream = closing.add(await startEchoUpstream());
  const folder = closing.add(await garitaFolder({ "shop/policies.yaml": policies(issuer) }));
  const workload = { namespace: "shop", labels: {} };
  garita = closing.add(
    await runGarita(folder, {
      listeners: [
        { name: "grpc", protocol: "grpc", address: "127.0.0.1:0", peerIdentity: "verified" },
        { name: "http", protocol: "http", address: "127.0.0.1:0", workload, upstreamHeaders: ["x-user"] },
      ],
      jwt: { caFile: issuer.caFile, blockedCidrs: [] },
    }),
  );
  await garita.until(({ issuers = [] }) => issuers.length > 0 && issuers.every(({ state }) => state === "keys"));
  const listener = (name: string, authorization: HttpFilter) =>
    httpListener({
      name,
      endpoint: free,
      authorization,
      settings: httpExtAuthzSettings({ "garita.dev/namespace": "shop", "garita.dev/labels": "{}" }),
      upstream: "orders",
    });
  const config = envoyJson(
    bootstrap({
      admin: free,
      listeners: [
        listener("grpc", httpExtAuthz({ cluster: "garita-grpc" })),
        listener("http", httpServiceExtAuthz({ cluster: "garita-http", upstreamHeaders: ["x-user"] })),
      ],
      clusters: [
        cluster({ name: "garita-grpc", endpoint: garita.endpoint("grpc"), protocol: "http2" }),
        cluster({ name: "garita-http", endpoint: garita.endpoint("http"), protocol: "http1" }),
        cluster({ name: "orders", endpoint: { ...free, port: upstream.port }, protocol: "http1" }),
      ],
    }),
  );
  connectionManager(config, "grpc")["access_log"] = [decisionLog("envoy.filters.http.ext_authz", ["plan"])];
  envoy = closing.add(await runEnvoy(found.binary, config));
});
after(() => closing.close());

const ask = (listener: string, line: string, ...headers: string[]) =>
  http1(envoy.port(listener), [`${line} HTTP/1.1`, "host: orders.shop", ...headers]);

/** The lines of a header that the upstream saw. */
function upstreamSaw({ body }: RawResponse, name: string): readonly string[] {
  const { rawHeaders } = JSON.parse(body) as EchoedRequest;
  return rawHeaders.filter((_, i) => i % 2 === 1 && rawHeaders[i - 1]!.toLowerCase() === name);
}

const login = "garita-ns[shop]-policy[login]-rule";
const members = "garita-ns[shop]-policy[members]-rule";

test("a browser without a token is told to log in, with the status, headers and body of the rule", async (t) => {
  if ((await envoyOrSkip(t)) === undefined) return;
  const answer = await ask("grpc", "GET /account?a=b", "accept: text/html,application/xml");
  assert.equal(answer.status, 401);
  assert.deepEqual(headerValues(answer, "content-type"), ["text/html; charset=utf-8"]);
  assert.deepEqual(headerValues(answer, "www-authenticate"), ['Bearer realm="shop"']);
  assert.deepEqual(headerValues(answer, "x-target"), ["/account?a=b"]);
  assert.equal(Buffer.from(answer.body, "latin1").toString("utf8"), "<a href=/login?to=/account>Log in</a> café");
  const line = await garita.denial(({ rule }) => rule === `${login}[0]`);
  assert.deepEqual([line.reason, line.status, line.conditionFaults], ["policy/denied", 401, undefined]);
});

test("another client gets Istio's answer from the rule that speaks of none; so do rules whose conditions cannot be told", async (t) => {
  if ((await envoyOrSkip(t)) === undefined) return;
  const answer = await ask("grpc", "GET /account", "accept: application/json");
  assert.deepEqual([answer.status, answer.body], [403, "RBAC: access denied"]);
  await garita.denial(({ rule }) => rule === `${login}[1]`);
  // Without `accept` the first rule's condition has no value: it denies, and its answer is given.
  const none = await ask("grpc", "GET /account");
  assert.equal(none.status, 401);
  const line = await garita.denial(({ conditionFaults }) => conditionFaults !== undefined);
  assert.deepEqual(line.conditionFaults, [`${login}[0] condition/error`]);
});

test("a gRPC client gets the body as its message", async (t) => {
  if ((await envoyOrSkip(t)) === undefined) return;
  const { headers } = await h2(envoy.port("grpc"), {
    ":method": "POST",
    ":path": "/account",
    ":authority": "orders.shop",
    "content-type": "application/grpc",
    accept: "text/html",
  });
  assert.deepEqual([headers[":status"], headers["grpc-status"]], [200, "16"]);
  assert.equal(headers["content-type"], "application/grpc");
  assert.match(String(headers["grpc-message"]), /Log%20in|Log in/);
});

test("claims of a real token: the header reaches the upstream, replaces the client's, and metadata is logged", async (t) => {
  if ((await envoyOrSkip(t)) === undefined) return;
  const token = await issuer.token({ sub: "alice", groups: ["members", "staff"], plan: "silver" });
  const answer = await ask(
    "grpc",
    "GET /account",
    `authorization: Bearer ${token}`,
    "x-user: mallory",
    "X-User: alice",
    "x-groups: admins",
    "x-nothing: something",
    "x-case: claims",
  );
  assert.equal(answer.status, 200, answer.body);
  assert.deepEqual(upstreamSaw(answer, "x-user"), ["alice"]);
  assert.deepEqual(upstreamSaw(answer, "x-groups"), ["members,staff"]);
  assert.deepEqual(upstreamSaw(answer, "x-nothing"), [""]);
  assert.deepEqual(headerValues(answer, "cache-control"), ["private"]);
  const [logged] = await loggedDecisions(envoy, (line) => line.case === "claims");
  assert.deepEqual([logged!.rule, logged!.reason], [`${members}[0]`, "policy/allowed"]);
  assert.equal((logged as unknown as { readonly plan: string }).plan, "silver");
});

test("a condition on claims and method tells callers apart", async (t) => {
  if ((await envoyOrSkip(t)) === undefined) return;
  const callers: readonly [claims: Readonly<Record<string, unknown>>, line: string, status: number][] = [
    [{ groups: ["members"], plan: "silver" }, "POST /account", 403],
    [{ groups: ["members"], plan: "gold" }, "POST /account", 200],
    [{ groups: ["guests"], plan: "gold" }, "GET /account", 403],
    [{ plan: "gold" }, "GET /account", 403],
  ];
  for (const [claims, line, status] of callers) {
    const answer = await ask("grpc", line, `authorization: Bearer ${await issuer.token(claims)}`, "content-length: 0");
    assert.equal(answer.status, status, JSON.stringify(claims));
  }
});

test("a value that the request does not bring is a denial, never the client's own header", async (t) => {
  if ((await envoyOrSkip(t)) === undefined) return;
  const token = await issuer.token({ groups: ["members"] });
  const without = await ask("grpc", "GET /account", `authorization: Bearer ${token}`, "x-user: mallory");
  assert.equal(without.status, 403);
  const line = await garita.denial(({ reason }) => reason === "answer/no-value");
  assert.deepEqual([line.rule, line.conditionFaults], [`${members}[0]`, [`${members}[0] condition/error`]]);
  const sneaky = await ask("grpc", "GET /door", "x-name: a\tb", "x-user: mallory");
  assert.deepEqual(upstreamSaw(sneaky, "x-user"), ["a\tb"]);
  assert.equal((await ask("grpc", "GET /door", "x-user: mallory")).status, 403);
});

test("the HTTP service: the header of a rule replaces the client's where both sides were told, and is refused elsewhere", async (t) => {
  if ((await envoyOrSkip(t)) === undefined) return;
  for (const own of ["mallory", "alice"]) {
    const answer = await ask("http", "GET /door", "x-name: alice", `x-user: ${own}`, "x-user: bob");
    assert.deepEqual([answer.status, upstreamSaw(answer, "x-user")], [200, ["alice"]]);
  }
  assert.equal((await ask("http", "GET /untold")).status, 403);
  await garita.denial(({ reason, listener }) => reason === "answer/not-carried" && listener === "http");
  assert.deepEqual(upstreamSaw(await ask("grpc", "GET /untold"), "x-untold"), ["a"]);
  const denied = await ask("http", "GET /account", "accept: text/html");
  assert.deepEqual([denied.status, headerValues(denied, "x-target")], [401, ["/account"]]);
});
