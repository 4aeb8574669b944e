import assert from "node:assert/strict";
import { test } from "node:test";
import type { HttpCheckOutcome, HttpCheckRequest, ListenerSettings } from "#authz/check/contract";
import { createHttpCheck } from "#authz/check/http-check";
import { UNKNOWN } from "#authz/engine/attributes";
import { compile } from "#policy-compiler/compile";
import type { RuleSet } from "#policy-compiler/ruleset/model";
import { listenerOf } from "../../support/check/check-message.ts";
import { environmentOf, exactly, ruleSetOf } from "../../support/check/rule-set.ts";
import { allowedWith, stagesOf } from "../../support/check/stages.ts";

const PEER = "spiffe://cluster.local/ns/foo/sa/web";
const REMOVED =
  "x-garita-peer,x-garita-remote,x-garita-tls,x-garita-uris,x-garita-dns,x-garita-subject,x-garita-fingerprint," +
  "x-garita-issuer,x-garita-secret,x-garita-decision,x-garita-reason,x-garita-status";

type Input = Partial<Omit<HttpCheckRequest, "body">>;

function ask(
  ruleSet: RuleSet | undefined,
  input: Input = {},
  listener: Partial<ListenerSettings> = {},
): HttpCheckOutcome {
  const outcome = createHttpCheck(environmentOf(ruleSet))(
    { method: "GET", target: "/", headers: [["Host", "a.example"]], body: undefined, ...input },
    listenerOf({ protocol: "http", ...listener }),
  );
  assert.ok(!(outcome instanceof Promise));
  return outcome;
}

function assertAllowed(outcome: HttpCheckOutcome, message?: string): void {
  assert.deepEqual(
    outcome.response,
    { status: 200, headers: [["x-envoy-auth-headers-to-remove", REMOVED]], body: "" },
    message,
  );
}

function assertRefused(outcome: HttpCheckOutcome, reason: string, status = 403, body = "RBAC: access denied"): void {
  assert.deepEqual(outcome.response, { status, headers: [], body });
  assert.equal(outcome.record.decision.reason, reason);
}

const host: [string, string] = ["Host", "a.example"];
const denyAdmin = ruleSetOf({ policies: [{ name: "p", stage: "deny", fields: [exactly("path", "/admin")] }] });

test("allowed is 200 and takes our headers away; denied is Istio's answer and nothing more", () => {
  assertAllowed(ask(denyAdmin));
  assertRefused(ask(denyAdmin, { target: "/admin?q" }), "policy/denied");
  assertRefused(ask(undefined), "rules/none");
});

test("the path prefix is cut, and a target without it is refused", () => {
  const listener = { pathPrefix: "/pre" };
  assertRefused(ask(denyAdmin, { target: "/pre/admin" }, listener), "policy/denied");
  assertAllowed(ask(denyAdmin, { target: "/pre/other" }, listener));
  for (const target of ["/admin", "/pre", "/prefix/admin"])
    assertRefused(ask(denyAdmin, { target }, listener), "request/unreadable");
});

test("targets that are no origin form", () => {
  const hostHeader = (value: string) => [["Host", value]] as const;
  assertRefused(
    ask(denyAdmin, { target: "http://b.example/admin", headers: hostHeader("B.example") }),
    "policy/denied",
  );
  for (const [target, header] of [
    ["http://b.example/", "a.example"],
    ["http://b.example/", ""],
    ["http://b.example:80/", "b.example"],
    ["http://b.example@a.example/", "a.example"],
    ["http://a.example\\@b.example/", "b.example"],
  ] as const)
    assertRefused(ask(denyAdmin, { target, headers: hostHeader(header) }), "request/unreadable");
  const absolute = ask(denyAdmin, { target: "HTTP://b.example", headers: [] });
  assertAllowed(absolute);
  assert.deepEqual(
    [absolute.record.attributes?.http?.host, absolute.record.attributes?.http?.path],
    ["b.example", "/"],
  );
  assertRefused(ask(denyAdmin, { method: "OPTIONS", target: "*" }), "path/invalid", 404, "");
  assertRefused(ask(denyAdmin, { target: "admin" }), "path/invalid", 404, "");
  assertRefused(ask(denyAdmin, { target: "" }), "path/invalid", 404, "");
  assertRefused(ask(denyAdmin, { method: "CONNECT", target: "a.example:443" }), "request/unreadable", 403, "");
  assertRefused(ask(denyAdmin, { headers: [] }), "request/unreadable", 400, "");
  assertAllowed(ask(denyAdmin, { headers: [["Host", ""]] }), "an empty host is a host");
  assertRefused(ask(denyAdmin, { headers: [host, ["host", "b.example"]] }), "request/unreadable");
});

test("a path that is not in normal form is refused: the upstream would get another than was decided on", () => {
  for (const target of ["/x/../b", "/%61", "/a#b"]) assertRefused(ask(denyAdmin, { target }), "path/not-normal");
  assertRefused(ask(denyAdmin, { target: "/%00" }), "path/invalid", 400, "");
});

test("attribute headers count only where the listener says so, once, in brackets", () => {
  const ruleSet = ruleSetOf({ policies: [{ name: "p", stage: "allow", fields: [exactly("principal", PEER)] }] });
  const told: [string, string][] = [
    host,
    ["X-Garita-Uris", `[${PEER}]`],
    ["x-garita-dns", "[]"],
    ["x-garita-subject", "[]"],
    ["x-garita-tls", "[TLSv1.3]"],
    ["x-garita-peer", "[10.0.0.9]"],
  ];
  const believing = { attributeHeaders: true };
  assertAllowed(ask(ruleSet, { headers: told }, believing));
  assertRefused(ask(ruleSet, { headers: told }), "policy/not-allowed");
  assertRefused(ask(ruleSet, { headers: [...told, ["x-garita-uris", `[${PEER}]`]] }, believing), "policy/not-allowed");
  assertRefused(ask(ruleSet, { headers: [host, ["x-garita-uris", PEER]] }, believing), "policy/not-allowed");
  const { attributes } = ask(ruleSetOf({}), { headers: told }).record;
  for (const value of [
    attributes?.peer,
    attributes?.peerAddress,
    attributes?.remoteAddress,
    attributes?.tls,
    attributes?.sni,
  ])
    assert.equal(value, UNKNOWN);
  assert.equal(attributes?.metadata("a", "b"), UNKNOWN);
  assert.equal(attributes?.http?.headers.get("x-garita-uris"), undefined);
});

test("the destination is the listener's word, and finds the workload", () => {
  const ruleSet = ruleSetOf({ workloads: [{ name: "w", address: "10.0.0.1" }] });
  const listener = { workload: undefined, destination: { address: "10.0.0.1", port: 8443 } };
  const { record } = ask(ruleSet, {}, listener);
  assert.equal(record.workload?.name, "w");
  assert.equal(record.attributes?.destinationPort, 8443);
  const none = ask(ruleSet, {}, { workload: undefined });
  assertRefused(none, "workload/unknown");
  assert.equal(ask(ruleSetOf({})).record.attributes?.destinationPort, UNKNOWN);
});

test("STRICT on any port counts where the port is not known", () => {
  const ruleSet = ruleSetOf({
    peerAuthentications: [{ labels: [["app", "httpbin"]], mode: "PERMISSIVE", ports: [[9000, "STRICT"]] }],
  });
  assertRefused(ask(ruleSet), "mtls-required");
  assert.equal(ask(ruleSet).record.detail, "TLS unknown; STRICT by PeerAuthentication foo/pa");
  assertAllowed(ask(ruleSet, {}, { destination: { address: "10.0.0.1", port: 8080 } }));
});

test("the secret is wanted once", () => {
  const listener = { secret: Buffer.from("k\u00e9y", "latin1") };
  const given = (...values: string[]) =>
    ask(
      ruleSetOf({}),
      { headers: [host, ...values.map((value): [string, string] => ["X-Garita-Secret", value])] },
      listener,
    );
  assertAllowed(given("k\u00e9y"));
  assertRefused(given(), "listener/unauthorized");
  assertRefused(given("key"), "listener/unauthorized");
  assertRefused(given("k\u00e9y", "k\u00e9y"), "listener/unauthorized");
  assertRefused(ask(undefined, {}, listener), "listener/unauthorized");
  assertRefused(
    ask(ruleSetOf({}), { headers: [host, ["x-garita-secret", ""]] }, { secret: Buffer.alloc(0) }),
    "listener/unauthorized",
  );
});

test("joined headers are ambiguous", () => {
  const headers: [string, string][] = [host, ["X-Role", "user,admin"], ["Accept", "a,b"]];
  const seen = ask(ruleSetOf({}), { headers }).record.attributes?.http?.headers;
  assert.deepEqual(seen?.get("x-role"), { lines: ["user,admin"], joined: true });
  assert.deepEqual(seen?.get("accept"), { lines: ["a,b"], joined: false });
  const deny = ruleSetOf({ policies: [{ name: "p", stage: "deny", fields: [exactly("header", "admin", "x-role")] }] });
  assertRefused(ask(deny, { headers }), "policy/denied");
});

test("other headers that begin like ours are taken away, too, if they are headers", () => {
  const headers: [string, string][] = [host, ["X-Garita-Role", "1"], ["x-garita-role", "2"], ["x-garita-a,b", "3"]];
  const [remove] = ask(ruleSetOf({}), { headers }).response.headers;
  assert.deepEqual(remove, ["x-envoy-auth-headers-to-remove", `${REMOVED},x-garita-role`]);
});

test("headers that tokens alone may make are taken away although none was seen: Envoy may not have sent them", () => {
  const policies = `apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: { name: tokens, namespace: foo }
spec: { jwtRules: [{ issuer: a, jwksUri: "https://a.example/keys", outputClaimToHeaders: [{ header: X-Sub, claim: sub }] }] }
`;
  const { ruleSet } = compile([{ path: "p.yaml", bytes: Buffer.from(policies) }]);
  const removed = (namespace: string, ...headers: [string, string][]) => {
    const workload = { namespace, labels: new Map<string, string>() };
    const { response } = ask(ruleSet, { headers: [host, ...headers] }, { workload });
    return response.headers;
  };
  const name = "x-envoy-auth-headers-to-remove";
  assert.deepEqual(removed("foo"), [[name, `${REMOVED},x-sub`]]);
  assert.deepEqual(removed("foo", ["x-sub", "root"]), [[name, `${REMOVED},x-sub`]]);
  assert.deepEqual(removed("bar", ["x-sub", "root"]), [[name, REMOVED]]);
});

test("with explainToClient both answers carry decision and reason", () => {
  const listener = { explainToClient: true };
  const explained = (reason: string) => [
    ["x-garita-decision", "id-1"],
    ["x-garita-reason", reason],
  ];
  assert.deepEqual(
    ask(denyAdmin, { target: "/admin" }, listener).response.headers,
    explained("policy/denied by ns[foo]-policy[p]-rule[0] at p.yaml:1"),
  );
  assert.deepEqual(ask(denyAdmin, {}, listener).response.headers.slice(1), explained("policy/no-policy"));
});

test("a defect is an answered denial", () => {
  const environment = environmentOf(ruleSetOf({}), (engine) => ({
    ...engine,
    decide: () => {
      throw new Error("broken");
    },
  }));
  const outcome = createHttpCheck(environment)(
    { method: "GET", target: "/", headers: [host], body: undefined },
    listenerOf({ protocol: "http" }),
  );
  assert.ok(!(outcome instanceof Promise));
  assertRefused(outcome, "internal/defect");
  assert.equal(outcome.record.detail, "Error: broken");
});

test("a provider's header with a control character goes out on no connection: the record has the denial too", async () => {
  const policies = `
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: ask, namespace: foo }
spec: { action: CUSTOM, provider: { name: opa }, rules: [{}] }
`;
  const workload = { namespace: "foo", labels: new Map() };
  const listener = listenerOf({ protocol: "http", workload, upstreamHeaders: ["x-tenant"] });
  const request = { method: "GET", target: "/", headers: [host], body: undefined };
  const answered = async (tenant: string) => {
    const answer = allowedWith((edited) => edited.set("x-tenant", [tenant]));
    const { response, record } = await createHttpCheck(stagesOf(policies, { answer }))(request, listener);
    return [response.status, record.decision.outcome, record.decision.reason, record.detail];
  };
  assert.deepEqual((await answered("a\tb"))[0], 200);
  for (const tenant of ["a\nb", "a\x01b", "a\x7fb"]) {
    const detail = "the value of header x-tenant holds a control character";
    assert.deepEqual(await answered(tenant), [403, "deny", "answer/not-carried", detail], JSON.stringify(tenant));
  }
});
