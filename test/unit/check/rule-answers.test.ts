import assert from "node:assert/strict";
import { test } from "node:test";
import { createGrpcCheck } from "#authz/check/check";
import type { CheckEnvironment, CheckRecord, HttpCheckRequest, ListenerSettings } from "#authz/check/contract";
import { createHttpCheck } from "#authz/check/http-check";
import { snapshotOfRules } from "#authz/check/snapshot";
import { noVerification } from "#authz/check/tokens/no-verification";
import { compileExpressions } from "#authz/engine/conditions/compile-expressions";
import { createEngine } from "#authz/engine/create-engine";
import type { ResponseValue, RuleExtension, Stage } from "#policy-compiler/ruleset/model";
import { responseLimits } from "#policy-compiler/ruleset/response-limits";
import { finish } from "#policy-compiler/ruleset/steps";
import { body, onPath, policy } from "#test/support/generate/policies";
import { assemble, type PolicyDraft } from "#test/support/generate/rule-sets";
import { expression, extension, scriptedExpressions } from "#test/support/generate/scripted-expressions";
import { type CheckInput, checkMessage, listenerOf, metadataOf, seeAnswer } from "../../support/check/check-message.ts";

const text = (value: string): ResponseValue => ({ kind: "text", text: value });
/** Comes to its own text, or to the fault that it names. */
const cel = (value: string): ResponseValue => ({ kind: "cel", expression: expression(value) });

function own(
  stage: Stage,
  more: Partial<Omit<RuleExtension, "conditions">>,
  cels: readonly string[] = [],
): PolicyDraft {
  const draft = policy(stage, stage, [], { family: "garita" });
  return { ...draft, bodies: [{ http: body(), tcp: body(), extension: extension(cels, more) }] };
}

const key = (stage: Stage) => `garita-ns[foo]-policy[${stage}]-rule[0]`;

function environmentOf(drafts: readonly PolicyDraft[]): CheckEnvironment {
  const ruleSet = assemble(drafts);
  const expressions = finish(compileExpressions(ruleSet, scriptedExpressions().compiler));
  assert.deepEqual(expressions.unfit, []);
  const engine = createEngine(ruleSet, "digest", { expressions });
  return {
    snapshot: () => snapshotOfRules(engine),
    nextId: () => "01M8AKYVR3000000S0C3J6MWKR",
    nowMillis: () => 0,
    tokens: noVerification,
  };
}

function overGrpc(drafts: readonly PolicyDraft[], input: CheckInput = {}, listener: Partial<ListenerSettings> = {}) {
  const check = createGrpcCheck(environmentOf(drafts));
  const outcome = check(checkMessage(input), metadataOf(), listenerOf(listener));
  assert.ok(!(outcome instanceof Promise));
  return { seen: seeAnswer(outcome.response), record: outcome.record };
}

function overHttp(
  drafts: readonly PolicyDraft[],
  headers: HttpCheckRequest["headers"] = [],
  listener: Partial<ListenerSettings> = {},
) {
  const asked = { method: "GET", target: "/", headers: [["Host", "a.example"], ...headers] as const, body: undefined };
  const outcome = createHttpCheck(environmentOf(drafts))(asked, listenerOf({ protocol: "http", ...listener }));
  assert.ok(!(outcome instanceof Promise));
  return outcome;
}

function faults({ decision }: CheckRecord): readonly string[] {
  return decision.conditionFaults.map(({ rule, code }) => `${rule.key} ${code}`);
}

const denying = own("deny", {
  denyResponse: {
    status: 401,
    headers: [
      ["www-authenticate", text('Basic realm="shop"')],
      ["x-why", cel("because")],
    ],
    body: cel("caf\xc3\xa9"),
  },
});

test("a denial has the status, headers and body of its rule, at both doors", () => {
  const { seen, record } = overGrpc([denying]);
  assert.deepEqual(
    [seen.allowed, seen.status, seen.headers, seen.body],
    [false, 401, ['www-authenticate: Basic realm="shop"', "x-why: because"], "café"],
  );
  assert.deepEqual([record.status, record.decision.rule?.key, faults(record)], [401, key("deny"), []]);
  const { response } = overHttp([denying]);
  assert.deepEqual(response, {
    status: 401,
    headers: [
      ["www-authenticate", 'Basic realm="shop"'],
      ["x-why", "because"],
    ],
    body: "café",
  });
});

test("what a rule does not say stays as Istio has it", () => {
  const bare = own("deny", { denyResponse: { status: undefined, headers: [["x-why", text("a")]], body: undefined } });
  const { seen } = overGrpc([bare]);
  assert.deepEqual([seen.status, seen.body, seen.headers], [403, "RBAC: access denied", ["x-why: a"]]);
  const silent = overGrpc([own("deny", {})]).seen;
  assert.deepEqual([silent.status, silent.body, silent.headers], [403, "RBAC: access denied", []]);
});

test("a value that fails is left out of a denial, and recorded by its code", () => {
  const broken = own("deny", {
    denyResponse: {
      status: 302,
      headers: [
        ["location", text("https://login.example/")],
        ["x-a", cel("error")],
        ["x-b", cel("a\r\nset-cookie: b")],
        ["x-c", cel("c".repeat(responseLimits.valueBytes + 1))],
        ["x-d", cel("d".repeat(responseLimits.valueBytes))],
      ],
      body: cel("unknown"),
    },
  });
  const { seen, record } = overGrpc([broken]);
  assert.deepEqual([seen.allowed, seen.status, seen.body], [false, 302, ""]);
  assert.deepEqual(seen.headers, ["location: https://login.example/", `x-d: ${"d".repeat(responseLimits.valueBytes)}`]);
  assert.deepEqual(
    faults(record),
    ["condition/error", "condition/unfit-value", "condition/too-large", "condition/unknown-attribute"].map(
      (code) => `${key("deny")} ${code}`,
    ),
  );
  const long = own("deny", {
    denyResponse: { status: 403, headers: [], body: cel("x".repeat(responseLimits.bodyBytes + 1)) },
  });
  assert.deepEqual(
    [overGrpc([long]).seen.body, faults(overGrpc([long]).record)],
    ["", [`${key("deny")} condition/too-large`]],
  );
});

test("a status that Envoy would take for a failure goes by our own header at the HTTP service", () => {
  const down = own("deny", { denyResponse: { status: 503, headers: [], body: text("later") } });
  const { response, record } = overHttp([down]);
  assert.deepEqual([response.status, response.headers, record.status], [403, [["x-garita-status", "503"]], 503]);
  assert.equal(overGrpc([down]).seen.status, 503);
});

test("a gRPC client's denial keeps its content type", () => {
  const page = own("deny", {
    denyResponse: { status: 403, headers: [["content-type", text("text/html")]], body: text("<p>") },
  });
  assert.deepEqual(overGrpc([page]).seen.headers, ["content-type: text/html"]);
  const asked = { headers: [["content-type", "application/grpc"]] } as const;
  assert.deepEqual([overGrpc([page], asked).seen.headers, overGrpc([page], asked).seen.body], [[], "<p>"]);
});

test("a connection gets no answer of a rule", () => {
  const { seen, record } = overGrpc([denying], { tcp: true });
  assert.deepEqual([seen.allowed, record.status, record.decision.rule?.key], [false, 0, key("deny")]);
  assert.deepEqual(seen.headers, []);
});

const allowing = own("allow", {
  allowResponse: {
    requestHeaders: [["x-user", cel("alice")]],
    responseHeaders: [["cache-control", text("no-store")]],
    dynamicMetadata: [["team", cel("payments")]],
  },
});

test("an allowance sets headers for the upstream and the client, and dynamic metadata beside ours", () => {
  const { seen, record } = overGrpc([allowing]);
  assert.deepEqual(
    [seen.allowed, seen.headers, seen.responseHeaders],
    [true, ["x-user: alice"], ["cache-control: no-store"]],
  );
  assert.deepEqual(
    [seen.metadata["team"], seen.metadata["outcome"], seen.metadata["rule"]],
    ["payments", "allow", key("allow")],
  );
  assert.deepEqual([record.status, record.decision.reason, faults(record)], [200, "policy/allowed", []]);
});

test("a client's own copy of a header is replaced, whatever it looks like", () => {
  for (const lines of [["mallory"], ["alice"], ["alice", "mallory"], ["", "alice"]]) {
    const headers = lines.map((line) => ["x-user", line] as const);
    for (const joined of [false, true]) {
      assert.deepEqual(overGrpc([allowing], { headers, joined }).seen.headers, ["x-user: alice"], `${lines} ${joined}`);
    }
  }
});

test("a value without text is set all the same", () => {
  const draft = own("allow", {
    allowResponse: { requestHeaders: [["x-user", cel("")]], responseHeaders: [], dynamicMetadata: [] },
  });
  const { seen } = overGrpc([draft], { headers: [["x-user", "mallory"]] });
  assert.deepEqual([seen.allowed, seen.headers], [true, ["x-user: "]]);
});

test("the decision stays on what was received: attributes that are recorded have the client's header", () => {
  const { record } = overGrpc([allowing], { headers: [["x-user", "mallory"]] });
  assert.deepEqual(record.attributes?.http?.headers.get("x-user")?.lines, ["mallory"]);
});

test("an allowance with a value that fails is a denial", () => {
  const values: readonly [value: ResponseValue, code: string][] = [
    [cel("error"), "condition/error"],
    [cel("unknown"), "condition/unknown-attribute"],
    [cel("a\nb"), "condition/unfit-value"],
    [cel(" a"), "condition/unfit-value"],
    [cel("a\0b"), "condition/unfit-value"],
    [text("a\x7fb"), "condition/unfit-value"],
    [cel("x".repeat(responseLimits.valueBytes + 1)), "condition/too-large"],
  ];
  const none = { requestHeaders: [], responseHeaders: [], dynamicMetadata: [] };
  for (const [value, code] of values) {
    for (const list of ["requestHeaders", "responseHeaders", "dynamicMetadata"] as const) {
      if (list === "dynamicMetadata" && code === "condition/unfit-value") continue;
      const draft = own("allow", { allowResponse: { ...none, [list]: [["x-user", value]] } });
      const { seen, record } = overGrpc([draft], { headers: [["x-user", "mallory"]] });
      assert.deepEqual([seen.allowed, seen.status, seen.body], [false, 403, "RBAC: access denied"], `${list} ${code}`);
      assert.deepEqual(
        [record.decision.reason, record.decision.rule?.key, faults(record), record.detail],
        ["answer/no-value", key("allow"), [`${key("allow")} ${code}`], `\`x-user\`: ${code}`],
      );
      assert.equal(overHttp([draft]).record.decision.reason, "answer/no-value");
    }
  }
});

test("the HTTP service carries what it was told that Envoy takes, and refuses the rest", () => {
  const only = (more: Partial<NonNullable<RuleExtension["allowResponse"]>>) =>
    own("allow", { allowResponse: { requestHeaders: [], responseHeaders: [], dynamicMetadata: [], ...more } });
  const user = only({ requestHeaders: [["x-user", cel("alice")]] });
  const listener = { upstreamHeaders: ["x-user"] };
  const told = overHttp([user], [["x-user", "alice"]], listener);
  assert.equal(told.response.status, 200);
  assert.deepEqual(told.response.headers[0], ["x-user", "alice"]);
  const refused = [
    overHttp([user]),
    overHttp([only({ responseHeaders: [["x-a", text("a")]] })], [], listener),
    overHttp([only({ dynamicMetadata: [["a", text("a")]] })], [], listener),
  ];
  for (const { response, record } of refused) {
    assert.deepEqual([response.status, record.decision.reason], [403, "answer/not-carried"]);
  }
  assert.equal(overHttp([only({})], [], listener).response.status, 200);
});

test("an answer that is too long to be written is a denial, in the record too", () => {
  const fields = Array.from({ length: 80 }, (_, i) => [`x-${i}`, text("v".repeat(responseLimits.valueBytes))] as const);
  const draft = own("allow", { allowResponse: { requestHeaders: [], responseHeaders: [], dynamicMetadata: fields } });
  const { seen, record } = overGrpc([draft]);
  assert.deepEqual([seen.allowed, record.decision.reason], [false, "answer/not-carried"]);
});

test("only the rule that decided answers", () => {
  const other = { denyResponse: { status: 401, headers: [], body: text("not I") } };
  const istio = policy("aa", "deny", [body()]);
  const dry = own("dryRunDeny", other);
  const audit = own("audit", other);
  for (const draft of [dry, audit]) assert.equal(overGrpc([draft]).seen.allowed, true);
  const missed = {
    ...own("deny", other),
    bodies: [{ http: onPath("/b"), tcp: undefined, extension: extension([], other) }],
  };
  const { seen } = overGrpc([missed, istio]);
  assert.deepEqual([seen.status, seen.body], [403, "RBAC: access denied"]);
  const second = own("deny", other, ["no"]);
  assert.equal(overGrpc([second, istio]).seen.body, "RBAC: access denied");
});

test("a denial that a condition without a value brought about is recorded so", () => {
  const { record, seen } = overGrpc([own("deny", {}, ["unknown"])]);
  assert.deepEqual([seen.allowed, faults(record)], [false, [`${key("deny")} condition/unknown-attribute`]]);
  const custom = { ...own("custom", {}, ["error"]), policy: { ...own("custom", {}).policy, provider: "unheard-of" } };
  const asked = overGrpc([custom]);
  assert.equal(asked.record.decision.reason, "custom/unresolved");
  assert.deepEqual(faults(asked.record), [`istio-ext-authz-unheard-of-${key("custom")} condition/error`]);
});

test("equal requests get equal answers, and other requests of the same rule set stay plain", () => {
  const check = createGrpcCheck(
    environmentOf([allowing, own("deny", { denyResponse: denying.bodies[0]!.extension!.denyResponse }, ["no"])]),
  );
  const answers = Array.from({ length: 3 }, () => check(checkMessage(), metadataOf(), listenerOf()));
  const seen = answers.map((one) => (one instanceof Promise ? assert.fail() : seeAnswer(one.response).headers));
  assert.deepEqual(seen, [["x-user: alice"], ["x-user: alice"], ["x-user: alice"]]);
});
