import assert from "node:assert/strict";
import { test } from "node:test";
import { createGrpcCheck } from "#authz/check/check";
import type { CallMetadata, CheckOutcome, ListenerSettings } from "#authz/check/contract";
import type { RuleSet } from "#policy-compiler/ruleset/model";
import {
  type CheckInput,
  checkMessage,
  listenerOf,
  metadataOf,
  peerMetadata,
  type SeenAnswer,
  seeAnswer,
} from "../../support/check/check-message.ts";
import { environmentOf, exactly, ruleSetOf } from "../../support/check/rule-set.ts";

const PEER = "spiffe://cluster.local/ns/foo/sa/web";

interface Asked extends SeenAnswer {
  readonly outcome: CheckOutcome;
}

function ask(
  ruleSet: RuleSet | undefined,
  input: CheckInput | Uint8Array = {},
  metadata: CallMetadata = metadataOf(),
  listener: Partial<ListenerSettings> = {},
): Asked {
  const check = createGrpcCheck(environmentOf(ruleSet));
  const message = input instanceof Uint8Array ? input : checkMessage(input);
  const outcome = check(message, metadata, listenerOf(listener));
  assert.ok(!(outcome instanceof Promise), "nothing is to be waited for");
  return { ...seeAnswer(outcome.response), outcome };
}

const DENIED = { allowed: false, status: 403, body: "RBAC: access denied", headers: [], remove: [] };

function assertRefused(asked: Asked, reason: string, message?: string): void {
  const { allowed, status, body, headers, remove } = asked;
  assert.deepEqual({ allowed, status, body, headers, remove }, DENIED, message);
  assert.equal(asked.metadata["reason"], reason, message);
  assert.equal(asked.metadata["outcome"], "deny");
  assert.equal(asked.outcome.record.decision.reason, reason, message);
}

test("no policy allows, and the answer says which rule set was asked", () => {
  const asked = ask(ruleSetOf({}));
  assert.ok(asked.allowed);
  assert.deepEqual(asked.metadata, {
    decision_id: "id-1",
    outcome: "allow",
    rule: "none",
    reason: "policy/no-policy",
    digest: "d1935",
  });
  assert.deepEqual([asked.headers, asked.remove, asked.responseHeaders], [[], [], []]);
  assert.equal(asked.outcome.record.status, 200);
  assert.equal(asked.outcome.record.listener, "main");
});

test("a DENY rule denies with Istio's bytes and its key", () => {
  const ruleSet = ruleSetOf({ policies: [{ name: "p", stage: "deny", fields: [exactly("path", "/admin")] }] });
  const asked = ask(ruleSet, { path: "/admin?x=1" });
  assertRefused(asked, "policy/denied");
  assert.equal(asked.metadata["rule"], "ns[foo]-policy[p]-rule[0]");
  assert.ok(ask(ruleSet, { path: "/administrator" }).allowed);
});

test("TCP is decided too, and nobody sees a status", () => {
  const ruleSet = ruleSetOf({ policies: [{ name: "p", stage: "deny", fields: [exactly("sni", "up.test")] }] });
  const asked = ask(ruleSet, { tcp: true, destination: { service: "UP.Test" } });
  assert.equal(asked.allowed, false);
  assert.equal(asked.outcome.record.status, 0);
  assert.equal(asked.outcome.record.attributes?.http, undefined);
  assert.ok(ask(ruleSet, { tcp: true, destination: { service: "other" } }).allowed);
});

test("refusals that need no policy", async (t) => {
  await t.test("no rule set", () => {
    const asked = ask(undefined);
    assertRefused(asked, "rules/none");
    assert.equal(asked.metadata["digest"], "none");
  });
  await t.test("a message that is none", () =>
    assertRefused(ask(ruleSetOf({}), Uint8Array.of(0xff)), "request/unreadable"),
  );
  await t.test("a message beyond the limit, undecoded", () =>
    assertRefused(ask(ruleSetOf({}), new Uint8Array(101), metadataOf(), { maxMessageBytes: 100 }), "request/too-large"),
  );
  await t.test("no workload known", () =>
    assertRefused(ask(ruleSetOf({}), {}, metadataOf(), { workload: undefined }), "workload/unknown"),
  );
  await t.test("the listener's secret", () => {
    const secret = Buffer.from("s3cret");
    const given = (values: string[]) => ask(ruleSetOf({}), {}, metadataOf({ "x-garita-secret": values }), { secret });
    assert.ok(given(["s3cret"]).allowed);
    for (const wrong of [[], ["s3cre"], ["s3cret "], ["s3cret", "s3cret"], [""]])
      assertRefused(given(wrong), "listener/unauthorized", JSON.stringify(wrong));
  });
});

test("what Envoy's front end would have answered is denied in its words", () => {
  const cases: readonly (readonly [CheckInput, number, string, string])[] = [
    [{ protocol: "HTTP/1.0" }, 426, "Upgrade Required", "request/unreadable"],
    [{ method: "get" }, 400, "Bad Request", "request/unreadable"],
    [{ method: "M-SEARCH" }, 400, "Bad Request", "request/unreadable"],
    [{ method: "CONNECT", path: "" }, 403, "", "request/unreadable"],
    [{ host: null }, 400, "", "request/unreadable"],
    [{ path: "" }, 404, "", "path/invalid"],
    [{ method: "OPTIONS", path: "*" }, 404, "", "path/invalid"],
    [{ path: "/a%00" }, 400, "", "path/invalid"],
  ];
  for (const [input, status, body, reason] of cases) {
    const asked = ask(ruleSetOf({}), input);
    assert.deepEqual([asked.allowed, asked.status, asked.body], [false, status, body], JSON.stringify(input));
    assert.equal(asked.metadata["reason"], reason);
  }
  assert.ok(ask(ruleSetOf({}), { method: "get", protocol: "HTTP/2" }).allowed, "HTTP/2 carries any method");
  assert.ok(ask(ruleSetOf({}), { host: "" }).allowed, "an empty Host is one");
});

test("bytes that the message's path cannot hold are taken from the raw line", () => {
  const denies = (path: string) =>
    ruleSetOf({ policies: [{ name: "p", stage: "deny", fields: [exactly("path", path)] }] });
  const input = { path: "/\x80", protocol: "HTTP/2" };
  assertRefused(ask(denies("/%80"), input), "policy/denied");
  assert.deepEqual(ask(denies("/!"), input).headers, [":path: /%80"]);
});

test("the normal form is decided on and handed upstream", () => {
  const ruleSet = ruleSetOf({ policies: [{ name: "p", stage: "deny", fields: [exactly("path", "/admin")] }] });
  assertRefused(ask(ruleSet, { path: "/x/%2e%2e/admin?q" }), "policy/denied");
  const asked = ask(ruleSet, { path: "/x/../b?q=/../" });
  assert.ok(asked.allowed);
  assert.deepEqual(asked.headers, [":path: /b?q=/../"]);
  assert.deepEqual(ask(ruleSet, { path: "/b?q=/../" }).headers, []);
  const byHeader = ruleSetOf({
    policies: [{ name: "p", stage: "deny", fields: [exactly("header", "/admin?q", ":path")] }],
  });
  assertRefused(ask(byHeader, { path: "/x/../admin?q" }), "policy/denied", "`:path` shows the normal form");
  const none = ruleSetOf({ mesh: { pathNormalization: "NONE" } });
  assertRefused(ask(none, { path: "/\u00e9#x" }), "path/not-normal", "bytes that are no text cannot be set");
  const beyond = ask(ruleSet, { path: "/x/../b?\u00c3\u00a9" });
  assert.deepEqual([beyond.allowed, beyond.headers], [true, [":path: /b?\u00e9"]], "UTF-8 can");
  assertRefused(ask(ruleSet, { path: "/x/../b?\u00e9" }), "path/not-normal", "in a query neither");
});

test("a client's headers of our names are neither read nor passed on", () => {
  const ruleSet = ruleSetOf({ policies: [{ name: "p", stage: "allow", fields: [exactly("principal", PEER)] }] });
  const forged: CheckInput = {
    headers: [
      ["x-garita-uris", `[${PEER}]`],
      ["x-garita-tls", "[TLSv1.3]"],
      ["x-garita-issuer", "[aa]"],
      ["x-other", "1"],
    ],
  };
  assertRefused(ask(ruleSet, forged), "policy/not-allowed");
  assertRefused(ask(ruleSet, forged, peerMetadata({ tls: "" })), "policy/not-allowed");
  const asked = ask(ruleSetOf({}), forged);
  assert.ok(asked.allowed);
  assert.deepEqual(asked.remove, ["x-garita-uris", "x-garita-tls", "x-garita-issuer"]);
  const reads = ruleSetOf({
    policies: [{ name: "p", stage: "allow", fields: [exactly("header", "[aa]", "x-garita-issuer")] }],
  });
  assertRefused(ask(reads, forged), "policy/not-allowed");
});

test("an allowance that could not be written is recorded as the denial that goes out", () => {
  assertRefused(ask(ruleSetOf({}), { headers: [["x-garita-\u00e9", "1"]] }), "answer/not-carried");
});

test("a refusal for want of a workload says what was asked, and how to say which", () => {
  const nobody = { workload: undefined };
  const { record } = ask(ruleSetOf({}), { path: "/a?b" }, metadataOf(), nobody).outcome;
  assert.equal(record.requestLine?.path, "/a?b");
  assert.equal(record.requestLine?.method, "GET");
  assert.match(record.detail ?? "", /; set context_extensions garita\.dev\/workload, or the listener's workload$/);
  assert.equal(ask(ruleSetOf({}), { tcp: true }, metadataOf(), nobody).outcome.record.requestLine, undefined);
});

test("STRICT wants TLS and a verified certificate", () => {
  const strict = ruleSetOf({ peerAuthentications: [{ mode: "STRICT" }] });
  const withPeer: CheckInput = { source: { principal: PEER } };
  const mutual = peerMetadata({ uris: PEER });
  assert.ok(ask(strict, withPeer, mutual).allowed);
  const refused = (...asked: Parameters<typeof ask>) => {
    const answer = ask(...asked);
    assertRefused(answer, "mtls-required");
    const { detail, origin } = answer.outcome.record;
    assert.deepEqual(origin, { file: "p.yaml", line: 1, column: 1 });
    const [shortfall, by] = (detail ?? "").split("; ");
    assert.equal(by, "STRICT by PeerAuthentication foo/pa");
    return shortfall;
  };
  assert.equal(refused(strict, {}, peerMetadata({ tls: "" })), "no TLS");
  assert.equal(refused(strict, {}, peerMetadata({})), "TLS without a client certificate");
  assert.equal(refused(strict, {}), "TLS unknown");
  assert.equal(
    refused(strict, withPeer, mutual, { peerIdentity: undefined }),
    "the peer's certificate is not known to be verified: the listener says no peerIdentity: verified",
  );
  assert.equal(
    refused(strict, {}, peerMetadata({ uris: PEER })),
    "the names of the peer's certificate are unknown",
    "names that contradict each other",
  );
  assert.ok(ask(strict, withPeer, peerMetadata({ uris: PEER, issuer: "ab" }), { peerIdentity: undefined }).allowed);
  assert.match(refused(strict, withPeer, mutual, { peerIdentity: "none" }) ?? "", /peerIdentity: none/);
  const byPort = ruleSetOf({
    peerAuthentications: [{ labels: [["app", "httpbin"]], mode: "PERMISSIVE", ports: [[8080, "STRICT"]] }],
  });
  assert.equal(refused(byPort), "TLS unknown");
  assert.ok(ask(byPort, { destination: { port: 9090 } }).allowed);
  const disabled = ruleSetOf({
    peerAuthentications: [{ mode: "DISABLE" }],
    policies: [{ name: "p", stage: "allow", fields: [exactly("principal", PEER)] }],
  });
  assert.ok(ask(disabled, withPeer, mutual).allowed, "identities that were sent count");
  const gateway = { workload: { namespace: "foo", labels: new Map(), kind: "gateway" as const } };
  assert.ok(ask(strict, {}, metadataOf(), gateway).allowed, "a gateway's TLS is its own");
});

test("a client learns the reason only where the listener says so", () => {
  const ruleSet = ruleSetOf({ policies: [{ name: "p", stage: "deny", fields: [exactly("path", "/admin")] }] });
  const denied = ask(ruleSet, { path: "/admin" }, metadataOf(), { explainToClient: true });
  assert.deepEqual(denied.headers, [
    "x-garita-decision: id-1",
    "x-garita-reason: policy/denied by ns[foo]-policy[p]-rule[0] at p.yaml:1",
  ]);
  const allowed = ask(ruleSet, {}, metadataOf(), { explainToClient: true });
  assert.deepEqual(allowed.responseHeaders, ["x-garita-decision: id-1", "x-garita-reason: policy/no-policy"]);
  assert.deepEqual(allowed.headers, []);
});

test("a defect anywhere is an answered denial, and its words stay inside", () => {
  const defect = () => {
    throw new Error("secret\nplace");
  };
  const ruleSet = ruleSetOf({ policies: [{ name: "c", stage: "custom" }] });
  const broken = [
    environmentOf(ruleSet, (engine) => ({ ...engine, view: defect })),
    environmentOf(ruleSet, (engine) => ({ ...engine, matchCustom: defect })),
    environmentOf(ruleSetOf({}), (engine) => ({ ...engine, decide: defect })),
    { ...environmentOf(ruleSet), snapshot: defect },
    { ...environmentOf(ruleSet), nextId: defect },
  ];
  for (const environment of broken) {
    const outcome = createGrpcCheck(environment)(checkMessage(), metadataOf(), listenerOf());
    assert.ok(!(outcome instanceof Promise));
    const seen = seeAnswer(outcome.response);
    assert.deepEqual([seen.allowed, seen.status, seen.body], [false, 403, "RBAC: access denied"]);
    assert.equal(seen.metadata["reason"], "internal/defect");
    assert.equal(outcome.record.detail, "Error: secret place");
    assert.ok(!Buffer.from(outcome.response).includes("secret"));
  }
  const check = createGrpcCheck({ ...environmentOf(ruleSet), nextId: () => Symbol("no text") as never });
  const outcome = check(checkMessage(), metadataOf(), listenerOf());
  assert.ok(!(outcome instanceof Promise));
  assert.equal(seeAnswer(outcome.response).allowed, false);
});
