import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { createProviderConnections } from "#authz/custom/connections";
import type { CustomProvider } from "#authz/custom/contract";
import { systemClock } from "#platform/clock";
import { findIstioSample, type IstioSample, startIstioSample } from "#test/support/providers/istio-sample";
import { connectionQuestion, plainQuestion } from "#test/support/providers/question";
import { providersRuleSet } from "#test/support/providers/rule-set";

async function sample(t: TestContext): Promise<IstioSample | undefined> {
  const binary = await findIstioSample();
  if (binary === undefined) {
    t.skip("no Go to build Istio's sample with; or set ISTIO_EXTAUTHZ_BIN");
    return undefined;
  }
  const running = await startIstioSample(binary);
  t.after(() => running.stop());
  return running;
}

function providerOf(t: TestContext, kind: "http" | "grpc", port: number, options: object = {}): CustomProvider {
  const connections = createProviderConnections({ clock: systemClock });
  t.after(() => connections.stop());
  const found = connections
    .providersOf(providersRuleSet([{ name: "sample", kind, port, options: { ...options } }]))
    .find("sample");
  assert.ok(found);
  return found;
}

const denied = "denied by ext_authz for not found header `x-ext-authz: allow` in the request";

test("Istio's sample over gRPC", async (t) => {
  const running = await sample(t);
  if (running === undefined) return;
  const provider = providerOf(t, "grpc", running.grpcPort);
  const allowed = await provider.ask(
    plainQuestion({ "x-ext-authz": ["allow"], "x-ext-authz-additional-header-override": ["client's"] }),
    10_000,
  );
  assert.ok(allowed.kind === "allowed" && allowed.request !== undefined, JSON.stringify(allowed));
  const lines = (name: string) => allowed.request?.lines(name);
  assert.deepEqual(lines("x-ext-authz-check-result"), ["allowed"]);
  assert.deepEqual(lines("x-ext-authz-additional-header-override"), ["grpc-additional-header-override-value"]);
  // It tells what it received, in Go's text form of the message.
  const received = lines("x-ext-authz-check-received")?.[0] ?? "";
  for (const part of ["spiffe://cluster.local/ns/foo/sa/a", '"/a?q=1"', '"a.example"', "port_value:50000"])
    assert.ok(received.includes(part), `${part} in ${received}`);
  // Without the header it goes by the principal of the peer, which ends in /sa/a.
  assert.equal((await provider.ask(plainQuestion(), 10_000)).kind, "allowed");
  assert.equal((await provider.ask(connectionQuestion, 10_000)).kind, "allowed");
  const refused = await provider.ask(plainQuestion({ "x-ext-authz": ["deny"] }), 10_000);
  assert.ok(refused.kind === "denied");
  assert.deepEqual([refused.status, refused.body], [403, denied]);
  assert.deepEqual(refused.headers[0], { name: "x-ext-authz-check-result", value: "denied", add: false });
});

test("Istio's sample over HTTP", async (t) => {
  const running = await sample(t);
  if (running === undefined) return;
  const provider = providerOf(t, "http", running.httpPort, {
    includeRequestHeadersInCheck: ["x-ext-authz"],
    includeAdditionalHeadersInCheck: { "x-ext-authz-additional-header-override": "fixed" },
    includeRequestBodyInCheck: { maxRequestBytes: 100 },
    headersToUpstreamOnAllow: ["x-ext-authz-*"],
    headersToDownstreamOnDeny: ["x-ext-authz-check-result"],
  });
  const question = plainQuestion({ "x-ext-authz": ["allow"] });
  const body = Buffer.from("a body");
  const allowed = await provider.ask({ ...question, http: { ...question.http!, method: "POST", body } }, 10_000);
  assert.ok(allowed.kind === "allowed", JSON.stringify(allowed));
  const lines = (name: string) => allowed.request?.lines(name);
  assert.deepEqual(lines("x-ext-authz-check-result"), ["allowed"]);
  assert.deepEqual(lines("x-ext-authz-additional-header-override"), ["fixed"]);
  assert.match(lines("x-ext-authz-check-received")?.[0] ?? "", /^POST a\.example\/a\?q=1, .*body: \[a body\]/);
  const refused = await provider.ask(plainQuestion(), 10_000);
  assert.deepEqual(refused, {
    kind: "denied",
    status: 403,
    headers: [{ name: "x-ext-authz-check-result", value: "denied", add: false }],
    body: denied,
  });
});
