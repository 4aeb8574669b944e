import assert from "node:assert/strict";
import { test } from "node:test";
import { cli, folderOf } from "#test/support/cli/run-cli";

/** Tokens and providers as a description tells them: nobody signs, nobody is asked. */
const policies = `
apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: { name: tokens, namespace: shop }
spec:
  jwtRules:
    - { issuer: "https://id.example", audiences: [shop], jwksUri: "https://id.example/keys" }
    - { issuer: "https://other.example", jwksUri: "https://other.example/keys", fromHeaders: [{ name: x-token }] }
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: readers, namespace: shop }
spec:
  rules:
    - from: [{ source: { requestPrincipals: ["https://id.example/alice", "https://other.example/*"] } }]
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: ask, namespace: shop }
spec:
  action: CUSTOM
  provider: { name: opa }
  rules: [{ to: [{ operation: { paths: [/ask] } }] }]
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: { name: opa, namespace: shop }
spec: { hosts: [opa.shop.example], ports: [{ number: 9191, name: grpc, protocol: GRPC }], resolution: DNS }
`;
const mesh = `
trustDomain: shop.mesh
extensionProviders:
  - { name: opa, envoyExtAuthzGrpc: { service: opa.shop.example, port: 9191 } }
`;

const claims = (changes: object = {}) =>
  JSON.stringify({ iss: "https://id.example", sub: "alice", aud: "shop", exp: 4_000_000_000, ...changes });

const signedByNobody = [
  { alg: "RS256" },
  { iss: "https://other.example", sub: "a", exp: 4_000_000_000 },
  { no: "signature" },
]
  .map((part) => Buffer.from(JSON.stringify(part)).toString("base64url"))
  .join(".");

/** What is described, and the beginning of the line that is printed. */
const asked: readonly (readonly [string, readonly string[], string])[] = [
  ["a token", ["--claims", claims()], "allow  200  policy/allowed  ns[shop]-policy[readers]-rule[0]"],
  ["a token of another", ["--claims", claims({ sub: "bob" })], "deny  403  policy/not-allowed"],
  ["no token", [], "deny  403  policy/not-allowed"],
  ["another audience", ["--claims", claims({ aud: "bank" })], "deny  403  authentication/refused"],
  ["a token that has ended", ["--claims", claims({ exp: 1 })], "deny  401  authentication/refused"],
  ["another issuer", ["--claims", claims({ iss: "https://else.example" })], "deny  401  authentication/refused"],
  [
    "a token in its own header",
    ["--claims", claims({ iss: "https://other.example" }), "-H", "x-token: <token>"],
    "allow  200  policy/allowed",
  ],
  ["a token in a parameter", ["--claims", claims(), "--path", "/?access_token=<token>"], "allow  200  policy/allowed"],
  ["a signature of nobody", ["-H", "authorization: Bearer e30.e30.e30"], "deny  401  authentication/refused"],
  ["a provider that allows", ["--claims", claims(), "--path", "/ask", "--provider", "opa=allow"], "allow  200"],
  [
    "a provider that denies",
    ["--claims", claims(), "--path", "/ask", "--provider", "opa=deny"],
    "deny  403  custom/denied",
  ],
  ["a provider of which nothing is told", ["--claims", claims(), "--path", "/ask"], "deny  403  custom/failed"],
];

/** What is said of a refused token after its reason, the place of the rule left out. */
const refused: readonly (readonly [string, readonly string[], RegExp])[] = [
  [
    "another audience",
    ["--claims", claims({ aud: "bank" })],
    /header authorization: Audiences in Jwt are not allowed {2}\(.*p\.yaml:7\)/,
  ],
  [
    "another issuer",
    ["--claims", claims({ iss: "https://else.example" })],
    /Jwt issuer is not configured; issuers that are: https:\/\/id\.example, https:\/\/other\.example {2}\(.*p\.yaml:7\)/,
  ],
  [
    "the second rule, and nobody fetches keys here",
    ["-H", `x-token: ${signedByNobody}`],
    /header x-token: Jwt verification fails: no keys of https:\/\/other\.example\/keys {2}\(.*p\.yaml:8\)/,
  ],
];

for (const [name, flags, says] of refused) {
  test(`a refused token is told by the policy and the rule that refused it: ${name}`, async (t) => {
    const folder = await folderOf(t, { "p.yaml": policies, "mesh.yaml": mesh });
    for (const command of ["eval", "explain"]) {
      const { out } = await cli([command, folder, "-n", "shop", "--no-labels", ...flags]);
      assert.match(out, /^deny {2}40[13] {2}authentication\/refused {2}RequestAuthentication shop\/tokens: /);
      assert.match(out, says);
      assert.doesNotMatch(out, /origins-|else\.example/);
      if (command === "explain")
        assert.match(out, /policies that apply:\n {2}tokens {6}shop\/tokens {2}.*p\.yaml:2\n {2}custom/);
    }
  });
}

for (const [name, flags, line] of asked) {
  test(`eval: ${name}`, async (t) => {
    const folder = await folderOf(t, { "p.yaml": policies, "mesh.yaml": mesh });
    const { out, err } = await cli(["eval", folder, "-n", "shop", "--no-labels", ...flags]);
    assert.ok(out.startsWith(line), `${out}${err}`);
    assert.ok(!out.includes("eyJ"), "no part of a token is shown");
  });
}

test("policy tests tell who shows which token, and what providers answer", async (t) => {
  const tests = `
workload: { namespace: shop, labels: {} }
now: 2026-11-26T12:00:00Z
providers: { opa: allow }
callers:
  anybody: {}
  alice: { claims: { iss: "https://id.example", sub: alice, aud: [shop, bank], exp: 1795694400 } }
  late: { claims: { iss: "https://id.example", sub: alice, aud: shop, exp: 1795694300 } }
requests:
  page: { path: /page }
  ask: { path: /ask }
expect:
  - { callers: [alice], requests: [page, ask], outcome: allow }
  - { callers: [late], requests: [page, ask], outcome: deny, status: 401, reason: authentication/refused }
`;
  const folder = await folderOf(t, { "p.yaml": policies, "mesh.yaml": mesh, "p_test.yaml": tests });
  const passed = await cli(["test", folder]);
  assert.equal(passed.status, 0, `${passed.out}${passed.err}`);
  const denying = await folderOf(t, {
    "p.yaml": policies,
    "mesh.yaml": mesh,
    "p_test.yaml": tests.replace("opa: allow", "opa: deny"),
  });
  const failed = await cli(["test", denying]);
  assert.equal(failed.status, 4);
  assert.match(failed.out, /custom\/denied: provider `opa` refused/);
  const silent = await folderOf(t, {
    "p.yaml": policies,
    "mesh.yaml": mesh,
    "p_test.yaml": tests.replace("{ opa: allow }", "{}").replace("status: 401", "status: 403"),
  });
  const { out } = await cli(["test", silent]);
  assert.match(out, /custom\/failed: provider `opa`: what it answers is not described \(`providers`\)/);
  assert.match(out, /authentication\/refused: RequestAuthentication shop\/tokens: .*Jwt is expired \(.*p\.yaml:7\)/);
});

test("what is no description is wrong usage", async (t) => {
  const folder = await folderOf(t, { "p.yaml": policies, "mesh.yaml": mesh });
  for (const flags of [
    ["--claims", "{"],
    ["--claims", "[]"],
    ["--provider", "opa"],
    ["--provider", "opa=maybe"],
  ]) {
    const { status, err } = await cli(["eval", folder, "-n", "shop", "--no-labels", ...flags]);
    assert.equal(status, 2, err);
  }
});
