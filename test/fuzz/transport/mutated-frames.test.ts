import assert from "node:assert/strict";
import { test } from "node:test";
import { createGrpcCheck } from "#authz/check/check";
import { snapshotOfRules } from "#authz/check/snapshot";
import { noVerification } from "#authz/check/tokens/no-verification";
import { createEngine } from "#authz/engine/create-engine";
import { serveGrpc } from "#authz/transport/grpc/serve";
import { compile } from "#policy-compiler/compile";
import { checkMessage, seeAnswer } from "#test/support/check/check-message";
import { call, frame, openSession } from "#test/support/hostile/grpc-frames";
import { Random, testSeed } from "#test/support/random";
import { listenerSettings, listenerStart } from "#test/support/service/listener-start";

const policy = `apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: a, namespace: shop }
spec:
  action: ALLOW
  rules: [{ from: [{ source: { principals: ["cluster.local/ns/shop/sa/friend"] } }], to: [{ operation: { paths: ["/very/secret"] } }] }]
`;

test("a check with bytes exchanged, left out or put in is answered, and never becomes one that is allowed", async (t) => {
  const { ruleSet } = compile([{ path: "a.yaml", bytes: Buffer.from(policy) }]);
  const engine = createEngine(ruleSet!, "digest");
  const check = createGrpcCheck({
    snapshot: () => snapshotOfRules(engine),
    nextId: () => "id",
    nowMillis: () => 0,
    tokens: noVerification,
  });
  const { start, records, logged } = listenerStart("grpc", {
    settings: listenerSettings("grpc", { workload: { namespace: "shop", labels: new Map() } }),
  });
  const listener = await serveGrpc({
    ...start,
    check,
    health: { serving: () => true, onChange: () => () => undefined },
  });
  t.after(() => listener.stop(AbortSignal.abort()));
  assert.ok(listener.address.kind === "tcp");
  const session = openSession(listener.address);
  t.after(() => session.destroy());

  const random = new Random(testSeed("mutated frames"));
  // Both the principal and the path would have to change to what is allowed.
  const whole = checkMessage({
    path: "/very/secreT",
    source: { principal: "spiffe://cluster.local/ns/shop/sa/fiend" },
    headers: [["x-role", "admin"]],
    metadata: { a: { b: ["c"] } },
  });
  const asked = 1_500;
  for (let sent = 0; sent < asked; sent += 100) {
    const endings = await Promise.all(Array.from({ length: 100 }, () => call(session, frame(mutate(whole, random)))));
    for (const { message, grpcStatus } of endings) {
      assert.equal(grpcStatus, "0");
      assert.ok(message !== undefined);
      assert.equal(seeAnswer(message).allowed, false);
    }
  }
  assert.equal(records.length, asked);
  assert.equal(logged(), "");
  const reasons = new Set(records.map(({ decision }) => decision.reason));
  assert.ok(reasons.has("request/unreadable") && reasons.has("policy/not-allowed") && !reasons.has("internal/defect"));
});

function mutate(whole: Uint8Array, random: Random): Uint8Array {
  const bytes = [...whole];
  for (let times = 1 + random.below(3); times > 0 && bytes.length > 0; times--) {
    const at = random.below(bytes.length);
    switch (random.below(4)) {
      case 0:
        bytes[at] = random.below(256);
        break;
      case 1:
        bytes.splice(at, 1 + random.below(8));
        break;
      case 2:
        bytes.splice(at, 0, random.below(256));
        break;
      default:
        bytes.length = at + 1;
    }
  }
  return Uint8Array.from(bytes);
}
