import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { createProviderConnections } from "#authz/custom/connections";
import type { CustomProvider } from "#authz/custom/contract";
import { systemClock } from "#platform/clock";
import { Closing } from "#test/support/envoy/closing";
import { garitaFolder, type RunningGarita, runGarita } from "#test/support/envoy/run-garita";
import { connectionQuestion, plainQuestion } from "#test/support/providers/question";
import { providersRuleSet } from "#test/support/providers/rule-set";

/** Garita is an ext_authz server like any other: one may name another as its extension provider. */
const policies = `
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: readers, namespace: shop }
spec:
  action: ALLOW
  rules:
    - to: [{ operation: { paths: [/a], hosts: [a.example], methods: [GET] } }]
      from: [{ source: { principals: [cluster.local/ns/foo/sa/a] } }]
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: never, namespace: shop }
spec:
  action: DENY
  rules: [{ when: [{ key: "request.headers[x-role]", values: [admin] }] }]
`;

const closing = new Closing();
let garita: RunningGarita;
let provider: CustomProvider;

before(async () => {
  const folder = closing.add(await garitaFolder({ "shop/policies.yaml": policies }));
  garita = closing.add(
    await runGarita(folder, {
      listeners: [
        {
          name: "grpc",
          protocol: "grpc",
          address: "127.0.0.1:0",
          workload: { namespace: "shop", labels: {} },
          peerIdentity: "verified",
        },
      ],
    }),
  );
  const { port } = garita.endpoint("grpc") as { readonly port: number };
  const connections = createProviderConnections({ clock: systemClock });
  closing.add(connections);
  const found = connections.providersOf(providersRuleSet([{ name: "garita", kind: "grpc", port }])).find("garita");
  assert.ok(found);
  provider = found;
});
after(() => closing.close());

test("it allows and denies by its own policies", async () => {
  const allowed = await provider.ask(plainQuestion({ "x-role": ["user"] }), 10_000);
  assert.equal(allowed.kind, "allowed", JSON.stringify(allowed));
  const denied = await provider.ask(plainQuestion({ "x-role": ["admin"] }), 10_000);
  assert.ok(denied.kind === "denied");
  assert.deepEqual([denied.status, denied.body], [403, "RBAC: access denied"]);
  // A second line must not hide behind the first: joined, it is unknown, and DENY matches.
  assert.equal((await provider.ask(plainQuestion({ "x-role": ["user", "admin"] }), 10_000)).kind, "denied");
});

test("a connection is judged by it too", async () => {
  assert.equal((await provider.ask(connectionQuestion, 10_000)).kind, "denied");
});
