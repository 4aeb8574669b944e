import assert from "node:assert/strict";
import { test } from "node:test";
import { lackingBits, lackingSentences } from "#authz/check/attributes/lacking";
import { createGrpcCheck } from "#authz/check/check";
import type { CallMetadata, CheckOutcome } from "#authz/check/contract";
import { snapshotOfRules } from "#authz/check/snapshot";
import { noVerification } from "#authz/check/tokens/no-verification";
import { createLackingWatch } from "#authz/decision-log/lacking";
import { createEngine } from "#authz/engine/create-engine";
import { checkMessage } from "#cli/request/check-message";
import { compile } from "#policy-compiler/compile";
import { listenerSettings } from "#test/support/service/listener-start";

const listener = listenerSettings("grpc", { name: "edge" });

function checkWith(rule: string, jwtRules = "") {
  const policy = `
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: p, namespace: shop }
spec: { rules: [${rule}] }
${
  jwtRules &&
  `---
apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: { name: tokens, namespace: shop }
spec:
  jwtRules:
    ${jwtRules}
`
}`;
  const { ruleSet, diagnostics } = compile([{ path: "p.yaml", bytes: new TextEncoder().encode(policy) }]);
  assert.ok(ruleSet, JSON.stringify(diagnostics));
  const engine = createEngine(ruleSet, rule);
  return createGrpcCheck({
    snapshot: () => snapshotOfRules(engine),
    nextId: () => "id",
    nowMillis: () => 0,
    tokens: noVerification,
  });
}

const { message, metadata } = checkMessage({
  workload: { namespace: "shop", labels: {} },
  caller: { principal: "cluster.local/ns/a/sa/b" },
});

/** The same call without one of its entries. */
const without = (missing: string): CallMetadata => ({ get: (name) => (name === missing ? [] : metadata.get(name)) });

const cases: readonly (readonly [rule: string, missing: string, attribute: string])[] = [
  ["{from: [{source: {ipBlocks: [10.0.0.0/8]}}]}", "x-garita-peer", "source.ip"],
  ["{from: [{source: {remoteIpBlocks: [10.0.0.0/8]}}]}", "x-garita-remote", "remote.ip"],
  ["{from: [{source: {principals: [x/ns/a/sa/b]}}]}", "x-garita-dns", "source.principal"],
];

test("tokens are not a reason to ask for TLS", () => {
  const watch = createLackingWatch(() => listener);
  const check = checkWith("{}", "- { issuer: a, jwksUri: 'https://a.example/keys' }");
  const { record } = check(message, without("x-garita-tls"), listener) as CheckOutcome;
  watch.observe(record);
  assert.deepEqual([record.decision.outcome, watch.warnings()], ["allow", []]);
});

for (const [rule, missing, attribute] of cases) {
  test(`a proxy that does not send ${missing} is told to, where policies ask for ${attribute}`, () => {
    const watch = createLackingWatch(() => listener);
    const check = checkWith(rule);
    watch.observe((check(message, metadata, listener) as CheckOutcome).record);
    assert.deepEqual(watch.warnings(), []);
    watch.observe((check(message, without(missing), listener) as CheckOutcome).record);
    watch.observe((check(message, without(missing), listener) as CheckOutcome).record);
    assert.equal(watch.warnings().length, 1);
    assert.match(watch.warnings()[0]!, new RegExp(`^listener edge: policies ask for ${attribute}, .*${missing}`));
    // A rule set that does not ask for it has nothing to say.
    const other = checkWith("{to: [{operation: {methods: [GET]}}]}");
    watch.observe((other(message, without(missing), listener) as CheckOutcome).record);
    assert.deepEqual(watch.warnings(), []);
  });
}

test("an HTTP listener is told in the words of its own filter, and what it can never have", () => {
  const told = (bit: number, attributeHeaders: boolean) =>
    lackingSentences(bit, { protocol: "http", attributeHeaders }).join("\n");
  const peer =
    "policies ask for source.ip, which a proxy does not send: add authorization_request.headers_to_add: " +
    '{ key: x-garita-peer, value: "[%DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT%]" }';
  assert.equal(told(lackingBits.peer, true), peer);
  assert.equal(told(lackingBits.peer, false), `${peer}, and attributeHeaders: true on the listener`);
  for (const bit of [lackingBits.sni, lackingBits.rawHeaders])
    assert.match(told(bit, true), /^policies ask for [a-z.]+ as only protocol grpc brings it: ask by a grpc listener$/);
});

test("a gRPC listener is told the line of its own filter", () => {
  const sentences = lackingSentences(lackingBits.tls | lackingBits.sni | lackingBits.rawHeaders, listener);
  assert.match(sentences[0]!, /: add initial_metadata: \{ key: x-garita-tls, /);
  assert.match(sentences[1]!, /: add include_tls_session: true$/);
  assert.match(sentences[2]!, /: add encode_raw_headers: true$/);
  assert.equal(sentences.length, 3);
});
