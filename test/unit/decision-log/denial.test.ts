import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { test } from "node:test";
import type { CheckRecord } from "#authz/check/contract";
import { denialEntry } from "#authz/decision-log/denial";
import { createObserver } from "#authz/decision-log/observe";
import { type RequestAttributes, UNKNOWN } from "#authz/engine/attributes";
import { createLog } from "#platform/log";
import { createMetrics } from "#platform/metrics";
import { fakeRecord } from "#test/support/service/fake-checks";
import { listenerSettings } from "#test/support/service/listener-start";

const attributes: RequestAttributes = {
  http: {
    method: "GET",
    host: "shop.example",
    path: "/caf\xc3\xa9?token=sesame#x",
    headers: { get: () => ({ lines: ["Bearer sesame"], joined: false }), names: () => ["authorization"] },
    target: "/a?token=sesame",
    scheme: "https",
    protocol: "HTTP/1.1",
    size: 7,
    grpc: false,
  },
  peerAddress: undefined,
  remoteAddress: undefined,
  destinationAddress: undefined,
  destinationPort: 80,
  tls: true,
  peer: { names: ["spiffe://example.org/ns/a/sa/b", "dns.example"], opaque: [], complete: true },
  sni: undefined,
  claims: { sub: "sesame" },
  tokens: [{ sub: "sesame" }],
  peerPort: 50_000,
  destinationPrincipal: undefined,
  nowMillis: 0,
  metadata: () => undefined,
};

function denied(more: Partial<CheckRecord> = {}): CheckRecord {
  const record = fakeRecord(listenerSettings("grpc"), "deny");
  const rule = { id: 3, key: "ns[a]-policy[b]-rule[0]", origin: { file: "a/b.yaml", line: 7, column: 5 } };
  return {
    ...record,
    decision: { ...record.decision, rule },
    attributes,
    workload: {
      namespace: "shop",
      name: "web",
      labels: new Map(),
      kind: "sidecar",
      gateway: undefined,
      service: undefined,
    },
    digest: "abc",
    ...more,
  };
}

test("a denial is told with everything that says who asked for what and which rule refused, and no secret", () => {
  assert.deepEqual(denialEntry(denied()), {
    id: "01FAKE",
    reason: "policy/denied",
    status: 403,
    listener: "test",
    workload: "shop/web",
    principal: "spiffe://example.org/ns/a/sa/b",
    requestPrincipal: undefined,
    method: "GET",
    host: "shop.example",
    path: "/café",
    rule: "ns[a]-policy[b]-rule[0]",
    origin: "a/b.yaml:7",
    digest: "abc",
    commit: undefined,
    detail: undefined,
    conditionFaults: undefined,
  });
  assert.doesNotMatch(JSON.stringify(denialEntry(denied())), /sesame/);
});

test("a token that was verified is told by its issuer and subject, and by no other claim", () => {
  const told = (claims: RequestAttributes["claims"]) =>
    denialEntry(denied({ attributes: { ...attributes, claims } })).requestPrincipal;
  assert.equal(told({ iss: "https://id.example", sub: "caf\xc3\xa9", email: "sesame" }), "https://id.example/café");
  assert.ok(told({ iss: "i", sub: "x".repeat(10_000) })!.length < 600);
  for (const claims of [undefined, UNKNOWN, {}, { sub: "a" }, { iss: "i" }, { iss: ["i"], sub: "a" }] as const)
    assert.equal(told(claims), undefined);
});

test("conditions without a value are told by rule and code", () => {
  const refused = denied();
  const conditionFaults = [{ rule: refused.decision.rule!, code: "condition/error" as const }];
  const entry = denialEntry({ ...refused, decision: { ...refused.decision, conditionFaults } });
  assert.deepEqual(entry.conditionFaults, ["ns[a]-policy[b]-rule[0] condition/error"]);
});

test("a document without rules that refused is told by its place", () => {
  const refused = denied({ origin: { file: "mesh/pa.yaml", line: 3, column: 1 } });
  const decision = { ...refused.decision, rule: undefined };
  assert.equal(denialEntry({ ...refused, decision }).origin, "mesh/pa.yaml:3");
});

test("a request whose workload is not known is told all the same, without what may be secret", () => {
  const requestLine = { method: "GET", host: "user:sesame@shop.example", path: "/caf\xc3\xa9?token=sesame" };
  const { method, host, path } = denialEntry(denied({ attributes: undefined, workload: undefined, requestLine }));
  assert.deepEqual([method, host, path], ["GET", "shop.example", "/café"]);
});

test("what is absent or unknown is left out; what is long is cut", () => {
  const bare = denialEntry(denied({ attributes: undefined, workload: undefined, detail: "x".repeat(10_000) }));
  assert.deepEqual(
    [bare.method, bare.principal, bare.workload, bare.path],
    [undefined, undefined, undefined, undefined],
  );
  assert.ok(bare.detail!.length < 600);
  const http = { ...attributes.http!, method: UNKNOWN, host: undefined, path: "/".repeat(10_000) } as const;
  const unknown = denialEntry(denied({ attributes: { ...attributes, http, peer: UNKNOWN } }));
  assert.deepEqual([unknown.method, unknown.host, unknown.principal], [undefined, undefined, undefined]);
  assert.ok(unknown.path!.length < 600);
});

test("a request that a failed provider lets pass is written as a warning, with the provider and its fault, and no secret", () => {
  const stream = new PassThrough();
  const observe = createObserver(createMetrics(), createLog({ level: "info", stream }).log);
  const allowed = { ...fakeRecord(listenerSettings("grpc"), "allow"), attributes };
  observe({ ...allowed, failedOpen: { provider: "opa", fault: `no connection ${"x".repeat(10_000)}` } }, 1);
  observe(allowed, 1);
  const lines = String(stream.read()).trim().split("\n");
  assert.equal(lines.length, 1);
  assert.match(lines[0]!, /"level":"warn".*"reason":"policy\/allowed".*"provider":"opa","fault":"no connection x+…"/);
  assert.ok(lines[0]!.length < 1_500);
  assert.doesNotMatch(lines[0]!, /sesame/);
});

test("every decision is counted, and only denials are written", async () => {
  const stream = new PassThrough();
  const metrics = createMetrics();
  const observe = createObserver(metrics, createLog({ level: "info", stream }).log);
  for (let i = 0; i < 3; i++) observe(fakeRecord(listenerSettings("grpc"), "allow"), 0.2);
  observe(denied(), 2);
  const { rule } = denied().decision;
  const conditionFaults = [{ rule: rule!, code: "condition/error" as const }];
  const unsure = fakeRecord(listenerSettings("grpc"), "allow");
  observe({ ...unsure, decision: { ...unsure.decision, conditionFaults } }, 2);
  const lines = String(stream.read()).trim().split("\n");
  assert.equal(lines.length, 1);
  assert.match(lines[0]!, /"level":"info".*"id":"01FAKE".*"msg":"denied"/);
  const { text } = await metrics.render();
  assert.match(text, /^garita_decisions_total\{listener="test",outcome="allow",reason="policy\/allowed"\} 4$/m);
  assert.match(text, /^garita_condition_faults_total\{code="condition\/error"\} 1$/m);
  assert.match(text, /^garita_decisions_total\{listener="test",outcome="deny",reason="policy\/denied"\} 1$/m);
  assert.match(text, /^garita_decision_duration_seconds_bucket\{listener="test",outcome="allow",le="0\.00025"\} 3$/m);
  assert.match(text, /^garita_decision_duration_seconds_count\{listener="test",outcome="deny"\} 1$/m);
});
