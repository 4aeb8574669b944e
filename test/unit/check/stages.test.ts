import assert from "node:assert/strict";
import { test } from "node:test";
import { acceptToken } from "#authz/authenticate/accept";
import type { AcceptedToken, TokenProvider } from "#authz/authenticate/contract";
import { createGrpcCheck } from "#authz/check/check";
import type { CheckOutcome, CheckRecord, TokenVerification } from "#authz/check/contract";
import { snapshotOfRules } from "#authz/check/snapshot";
import { noVerification } from "#authz/check/tokens/no-verification";
import type { ProviderOutcome, ProviderQuestion } from "#authz/custom/contract";
import { createEngine } from "#authz/engine/create-engine";
import { EditedRequest } from "#authz/engine/edited-request";
import { parseToken } from "#identity/token/parse";
import { compile } from "#policy-compiler/compile";
import { type CheckInput, checkMessage, listenerOf, metadataOf, seeAnswer } from "../../support/check/check-message.ts";
import { allowedWith, tokenOf } from "../../support/check/stages.ts";

const claims = { iss: "https://issuer.example", sub: "alice", scope: "read write", groups: ["a", "b"] };
const token = tokenOf(claims);
const bad = tokenOf({ ...claims, sub: "mallory" });

const custom = (paths: string, provider = "opa") => `
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: ask-${provider}, namespace: foo }
spec: { action: CUSTOM, provider: { name: ${provider} }, rules: [{ to: [{ operation: { paths: ["${paths}"] } }] }] }
---`;
const authentication = `
apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: { name: tokens, namespace: foo }
spec:
  jwtRules:
    - { issuer: "https://issuer.example", jwksUri: "https://issuer.example/keys", outputClaimToHeaders: [{ header: x-sub, claim: sub }] }
---`;
const allow = (rule: string) => `
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: allow, namespace: foo }
spec: { action: ALLOW, rules: [${rule}] }
---`;

interface Asked {
  readonly seen: ReturnType<typeof seeAnswer>;
  readonly record: CheckRecord;
  readonly questions: readonly ProviderQuestion[];
  readonly verified: readonly string[];
  /** Did the check wait for anything? */
  readonly waited: boolean;
}

/** Asks with a provider that answers as told, and an issuer whose good tokens are those of alice. */
async function ask(
  policies: string,
  input: CheckInput,
  answer: (question: ProviderQuestion) => ProviderOutcome | undefined = () => undefined,
  tokens: Partial<TokenVerification> = {},
): Promise<Asked> {
  const { ruleSet, diagnostics } = compile([{ path: "p.yaml", bytes: Buffer.from(policies) }]);
  assert.ok(ruleSet, JSON.stringify(diagnostics));
  const questions: ProviderQuestion[] = [];
  const verified: string[] = [];
  const provider = {
    name: "opa",
    kind: "http" as const,
    wantsBody: false,
    async ask(question: ProviderQuestion) {
      questions.push(question);
      return answer(question) ?? { kind: "failed" as const, status: 503, detail: "nobody told" };
    },
  };
  const check = createGrpcCheck({
    snapshot: () => ({
      ...snapshotOfRules(createEngine(ruleSet, "digest")),
      providers: { find: (name) => (name === "opa" ? provider : undefined), why: (name) => `\`${name}\` is not known` },
    }),
    nextId: () => "id",
    nowMillis: () => 0,
    tokens: {
      ...noVerification,
      maxTokenBytes: 4096,
      verify(unverified) {
        verified.push(unverified.token.text);
        if (unverified.token.claims["sub"] !== "alice") return { ok: false, fault: "signature" };
        return { ok: true, accepted: acceptToken(unverified) };
      },
      ...tokens,
    },
  });
  const outcome: CheckOutcome | Promise<CheckOutcome> = check(
    checkMessage(input),
    metadataOf(),
    listenerOf({ workload: { namespace: "foo", labels: new Map() } }),
  );
  const waited = outcome instanceof Promise;
  const { response, record } = await outcome;
  return { seen: seeAnswer(response), record, questions, verified, waited };
}

function acceptedOf(text: string, provider: TokenProvider): AcceptedToken {
  const parsed = parseToken(text);
  assert.ok(parsed.ok);
  return acceptToken({ provider, token: parsed.token });
}

const bearer = (text: string): CheckInput => ({ headers: [["authorization", `Bearer ${text}`]] });

test("a check without tokens and providers does not wait, though its workload has rules for both", async () => {
  const { seen, waited } = await ask(`${custom("/c")}${authentication}`, { path: "/" });
  assert.deepEqual([seen.allowed, waited], [true, false]);
});

test("a provider is asked where a CUSTOM rule matches, before tokens are looked at", async () => {
  const policies = `${custom("/c")}${authentication}`;
  const denied = await ask(policies, { path: "/c", ...bearer(bad) }, () => ({
    kind: "denied",
    status: 302,
    headers: [{ name: "location", value: "/login", add: false }],
    body: "go",
  }));
  assert.deepEqual([denied.seen.status, denied.seen.body, denied.seen.headers], [302, "go", ["location: /login"]]);
  assert.equal(denied.record.decision.reason, "custom/denied");
  assert.equal(denied.record.custom?.key, "istio-ext-authz-opa-ns[foo]-policy[ask-opa]-rule[0]");
  assert.deepEqual([denied.questions.length, denied.verified.length], [1, 0]);
  const elsewhere = await ask(policies, { path: "/x", ...bearer(bad) });
  assert.deepEqual([elsewhere.questions.length, elsewhere.verified], [0, [bad]]);
});

test("what a provider sets is what tokens are looked for in, what policies see and what the upstream gets", async () => {
  const policies = `${custom("/c")}${authentication}${allow('{ from: [{ source: { requestPrincipals: ["https://issuer.example/alice"] } }], when: [{ key: "request.headers[x-tenant]", values: [t1] }] }')}`;
  const edits = allowedWith((request) => {
    request.set("authorization", [`Bearer ${token}`]);
    request.set("x-tenant", ["t1"]);
    request.remove("x-gone");
  });
  const asked = await ask(
    policies,
    {
      path: "/c",
      headers: [
        ["x-tenant", "forged"],
        ["x-gone", "1"],
      ],
    },
    edits,
  );
  assert.ok(asked.seen.allowed, asked.record.detail);
  assert.deepEqual(asked.verified, [token]);
  assert.deepEqual(asked.seen.headers.toSorted(), ["x-sub: alice", "x-tenant: t1"]);
  assert.deepEqual(asked.seen.remove.toSorted(), ["authorization", "x-gone"]);
  const without = await ask(policies, { path: "/c", headers: [["x-tenant", "t1"]] }, allowedWith());
  assert.equal(without.record.decision.reason, "policy/not-allowed");
});

test("whether a request is a preflight, and what a client is told of it, is said by what a provider has made of it", async () => {
  const policies = `${custom("/c")}${authentication}`;
  const preflight: CheckInput = {
    method: "OPTIONS",
    path: "/c",
    headers: [["origin", "https://o.example"], ["access-control-request-method", "POST"], ...bearer(bad).headers!],
  };
  assert.ok((await ask(policies, preflight, allowedWith())).seen.allowed);
  const edits = allowedWith((request) => {
    request.set(":method", ["POST"]);
    request.set(":authority", ["other.example"]);
    request.set(":scheme", ["https"]);
  });
  const refused = await ask(policies, preflight, edits);
  assert.deepEqual([refused.seen.status, refused.seen.body], [401, "Jwt verification fails"]);
  assert.deepEqual(refused.seen.headers, [
    'www-authenticate: Bearer realm="https://other.example/c", error="invalid_token"',
  ]);
});

test("a provider that fails, is not known, or is one of several refuses", async () => {
  const failed = await ask(custom("/c"), { path: "/c" });
  assert.deepEqual([failed.seen.status, failed.seen.body], [503, ""]);
  assert.deepEqual(
    [failed.record.decision.reason, failed.record.detail],
    ["custom/failed", "provider `opa`: nobody told"],
  );
  const unknown = await ask(custom("/c", "other"), { path: "/c" });
  assert.deepEqual([unknown.seen.status, unknown.seen.body], [403, "RBAC: access denied"]);
  assert.deepEqual(
    [unknown.record.decision.reason, unknown.record.detail],
    ["custom/unresolved", "`other` is not known"],
  );
  assert.equal(
    unknown.record.custom?.key,
    "istio-ext-authz-other-ns[foo]-policy[ask-other]-rule[0]-deny-due-to-bad-CUSTOM-action",
  );
  const several = await ask(`${custom("/c")}${custom("/d", "other")}`, { path: "/c" }, allowedWith());
  assert.equal(several.record.decision.reason, "custom/unresolved");
  assert.deepEqual(several.questions, []);
  assert.ok((await ask(`${custom("/c")}${custom("/d", "other")}`, { path: "/" })).seen.allowed);
});

test("a provider that is let fail open is told of in the record", async () => {
  const open = await ask(custom("/c"), { path: "/c" }, () => ({
    kind: "allowed",
    request: undefined,
    responseHeaders: [],
    failedOpen: "no connection",
  }));
  assert.deepEqual([open.seen.allowed, open.record.detail], [true, "provider `opa` failed open: no connection"]);
  assert.deepEqual(open.record.failedOpen, { provider: "opa", fault: "no connection" });
});

test("headers that a provider wants the client to have go out with a later denial, too", async () => {
  const header = { name: "x-trace", value: "7", add: false };
  const asked = await ask(
    `${custom("/c")}${allow("{ to: [{ operation: { methods: [POST] } }] }")}`,
    { path: "/c" },
    () => ({
      kind: "allowed",
      request: undefined,
      responseHeaders: [header],
      failedOpen: undefined,
    }),
  );
  assert.deepEqual([asked.seen.allowed, asked.seen.headers], [false, ["x-trace: 7"]]);
  const passed = await ask(custom("/c"), { path: "/c" }, () => ({
    kind: "allowed",
    request: undefined,
    responseHeaders: [header],
    failedOpen: undefined,
  }));
  assert.deepEqual([passed.seen.allowed, passed.seen.responseHeaders], [true, ["x-trace: 7"]]);
});

test("a good token is taken out and its claims are what policies see; a bad one is Envoy's 401", async () => {
  const policies = `${authentication}${allow('{ when: [{ key: "request.auth.claims[groups]", values: [b] }] }')}`;
  const good = await ask(policies, { path: "/a?x=1", ...bearer(token) });
  assert.ok(good.seen.allowed, good.record.decision.reason);
  assert.deepEqual([good.seen.remove, good.seen.headers], [["authorization"], ["x-sub: alice"]]);
  const refused = await ask(policies, { path: "/a?x=1", ...bearer(bad) });
  assert.deepEqual([refused.seen.status, refused.seen.body], [401, "Jwt verification fails"]);
  assert.deepEqual(refused.seen.headers, [
    'www-authenticate: Bearer realm="http://a.example/a?x=1", error="invalid_token"',
  ]);
  assert.equal(refused.record.decision.reason, "authentication/refused");
  assert.deepEqual([refused.record.origin?.file, refused.record.origin?.line], ["p.yaml", 7]);
  assert.match(
    refused.record.detail!,
    /^RequestAuthentication \S+: header authorization: Jwt verification fails: no keys of /,
  );
  assert.ok(!JSON.stringify(refused.record).includes(bad.split(".")[1]!), "no part of a token is recorded");
  assert.equal((await ask(policies, { path: "/" })).record.decision.reason, "policy/not-allowed");
});

test("a token of an unknown issuer: some of the issuers that there are, without credentials, and how many more", async () => {
  const rules = Array.from(
    { length: 7 },
    (_, i) => `    - { issuer: "https://u:sesame@id${i}.example", jwksUri: "https://id.example/k" }`,
  );
  const policy = `
apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: { name: many, namespace: foo }
spec:
  jwtRules:
${rules.join("\n")}
`;
  const { record } = await ask(policy, {
    path: "/",
    ...bearer(tokenOf({ ...claims, iss: "hush" })),
  });
  const five = [0, 1, 2, 3, 4].map((i) => `https://id${i}.example`).join(", ");
  assert.equal(
    record.detail,
    `RequestAuthentication foo/many: header authorization: Jwt issuer is not configured; issuers that are: ${five} and 2 more`,
  );
});

test("each token is verified once for a rule, however often it stands in the request, and known ones not at all", async () => {
  const twice: CheckInput = { path: `/?access_token=${token}`, ...bearer(token) };
  const first = await ask(authentication, twice);
  assert.deepEqual(first.verified, [token]);
  const second = await ask(authentication, twice, undefined, {
    known: (text, provider) => ({ ok: true, accepted: acceptedOf(text, provider) }),
  });
  assert.deepEqual([second.verified, second.waited, second.seen.allowed], [[], false, true]);
  const slow = await ask(authentication, bearer(token), undefined, {
    verify: async ({ token: { text }, provider }) => ({ ok: true, accepted: acceptedOf(text, provider) }),
  });
  assert.deepEqual([slow.waited, slow.seen.allowed], [true, true]);
});

test("a client's copy of a claim header never reaches the upstream", async () => {
  const forged = await ask(authentication, { path: "/", headers: [["X-Sub", "root"]] });
  assert.deepEqual([forged.seen.allowed, forged.seen.remove], [true, ["x-sub"]]);
});

test("tokens are for HTTP: a connection passes", async () => {
  assert.ok((await ask(authentication, { tcp: true })).seen.allowed);
});

test("a verification that breaks is a denial", async () => {
  const broken = { verify: () => Promise.reject(new Error("no such thing")) };
  const { seen, record } = await ask(authentication, bearer(token), undefined, broken);
  assert.deepEqual([seen.allowed, seen.status, record.decision.reason], [false, 403, "internal/defect"]);
});

test("an edit that no answer can carry is a denial", async () => {
  const edits = allowedWith((request) => request.set("x-tenant", ["a\nb"]));
  const { seen, record } = await ask(custom("/c"), { path: "/c" }, edits);
  assert.deepEqual([seen.allowed, record.decision.reason], [false, "answer/not-carried"]);
});

test("a request that is made to cost has so many signatures looked at, and no more", async () => {
  const rules = Array.from(
    { length: 10 },
    (_, i) =>
      `    - { issuer: "", jwksUri: "https://i${i}.example/keys", fromHeaders: [{ name: x-token }], forwardOriginalToken: true }`,
  );
  const policies = `
apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: { name: tokens, namespace: foo }
spec:
  jwtRules:
${rules.join("\n")}
---`;
  const tokens = Array.from({ length: 40 }, (_, i) => tokenOf({ ...claims, n: i }));
  const headers = tokens.map((text) => ["x-token", text] as const);
  const accept: Partial<TokenVerification> = {
    verify: ({ token: { text }, provider }) => {
      counted++;
      // The last provider refuses, so that every token is looked at for every provider.
      return counted % 40 === 0
        ? { ok: false, fault: "signature" }
        : { ok: true, accepted: acceptedOf(text, provider) };
    },
  };
  let counted = 0;
  const { seen } = await ask(policies, { headers }, undefined, accept);
  assert.deepEqual([seen.allowed, seen.status, seen.body], [false, 401, "Jwt verification fails"]);
  assert.ok(counted <= 128, `${counted} signatures`);
  assert.ok(counted > 100, `${counted} signatures`);
});

test("beyond so many signatures the rules are gone through once more, and not once more for each of them", async (t) => {
  const rules = Array.from({ length: 500 }, (_, i) => `    - { issuer: "", jwksUri: "https://i${i}.example/keys" }`);
  const policies = `
apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: { name: tokens, namespace: foo }
spec:
  jwtRules:
${rules.join("\n")}
---`;
  // Each time that the rules are gone through begins with the request as it was.
  const copies = t.mock.method(EditedRequest.prototype, "copy");
  const { seen, verified } = await ask(policies, bearer(bad));
  assert.deepEqual([seen.status, seen.body], [401, "Jwt verification fails"]);
  assert.equal(verified.length, 128);
  assert.equal(copies.mock.callCount(), 129);
});

const own = (action: string, rule: string, more = "") => `
apiVersion: garita.dev/v1alpha1
kind: AuthorizationPolicy
metadata: { name: own-${action.toLowerCase()}, namespace: foo }
spec: { action: ${action}, ${more} rules: [${rule}] }
---`;

test("conditions and answers see the claims of the verified token, CUSTOM conditions the request before it", async () => {
  const answer =
    "{ requestHeaders: { x-user: { cel: string(claims.sub) }, x-tokens: { cel: 'string(tokens.size())' } } }";
  const policies = `${authentication}${own("ALLOW", `{ cel: ['"b" in claims.groups', '"read" in claims.scope', tokens.size() == 1], allowResponse: ${answer} }`)}${own("CUSTOM", `{ cel: ['request.headers["x-ask"] == "1"'] }`, "provider: { name: opa },")}`;
  const good = await ask(policies, {
    headers: [
      ["authorization", `Bearer ${token}`],
      ["x-user", "mallory"],
      ["x-ask", "0"],
    ],
  });
  assert.deepEqual([good.seen.allowed, good.questions.length], [true, 0]);
  assert.deepEqual(
    good.seen.headers.filter((line) => line.startsWith("x-user") || line.startsWith("x-tokens")),
    ["x-user: alice", "x-tokens: 1"],
  );
  const asked = await ask(
    policies,
    {
      headers: [
        ["authorization", `Bearer ${token}`],
        ["x-ask", "1"],
      ],
    },
    allowedWith(),
  );
  assert.deepEqual([asked.seen.allowed, asked.questions.length, asked.record.decision.conditionFaults], [true, 1, []]);
  // Without the header the CUSTOM condition fails: the provider is asked, and the record says why.
  const unsure = await ask(policies, bearer(token), allowedWith());
  const faults = unsure.record.decision.conditionFaults.map(({ rule, code }) => `${rule.key} ${code}`);
  assert.deepEqual(
    [unsure.seen.allowed, unsure.questions.length, faults],
    [true, 1, ["istio-ext-authz-opa-garita-ns[foo]-policy[own-custom]-rule[0] condition/error"]],
  );
  const none = await ask(policies, { headers: [["x-ask", "0"]] });
  assert.deepEqual([none.seen.allowed, none.record.decision.reason], [false, "policy/not-allowed"]);
  // Without a token claims are empty, so that looking one up fails; another condition is false, and so it did not matter.
  assert.deepEqual(none.record.decision.conditionFaults, []);
});

test("what a provider sets is what conditions see", async () => {
  const policies = `${custom("/c")}${own("ALLOW", `{ cel: ['request.headers["x-tenant"] == "t1"', '"x-tenant" in request.headers && !request.headers.exists(name, name == "x-gone")'] }`)}`;
  const edits = allowedWith((request) => {
    request.set("x-tenant", ["t1"]);
    request.remove("x-gone");
  });
  const headers = [
    ["x-tenant", "other"],
    ["x-gone", "1"],
  ] as const;
  assert.equal((await ask(policies, { path: "/c", headers }, edits)).seen.allowed, true);
  assert.equal((await ask(policies, { path: "/d", headers }, edits)).seen.allowed, false);
});

test("the clock is read when the check begins: condition and answer have the same time", async () => {
  const rule = `{ cel: [now == request.time], allowResponse: { requestHeaders: { x-now: { cel: string(now) } } } }`;
  const { seen } = await ask(own("ALLOW", rule), {});
  assert.deepEqual([seen.allowed, seen.headers], [true, ["x-now: 1970-01-01T00:00:00Z"]]);
});
