import assert from "node:assert/strict";
import { test } from "node:test";
import { UNKNOWN, type Workload } from "#authz/engine/attributes";
import { compileExpressions } from "#authz/engine/conditions/compile-expressions";
import { createEngine } from "#authz/engine/create-engine";
import { MOST_FAULTS } from "#authz/engine/decision";
import { type RuleBody, type RuleExtension, type Stage, stages } from "#policy-compiler/ruleset/model";
import { finish } from "#policy-compiler/ruleset/steps";
import { body, onPath, policy } from "#test/support/generate/policies";
import { absent, http } from "#test/support/generate/requests";
import { assemble, type PolicyDraft } from "#test/support/generate/rule-sets";
import { extension, scriptedExpressions } from "#test/support/generate/scripted-expressions";

const app: Workload = {
  namespace: "foo",
  name: "app",
  labels: new Map(),
  kind: "sidecar",
  gateway: undefined,
  service: undefined,
};

interface RuleDraft {
  readonly body?: RuleBody;
  readonly cel?: readonly string[];
  readonly more?: Partial<RuleExtension>;
}

/** A policy of our own group. */
function own(name: string, stage: Stage, rules: readonly RuleDraft[]): PolicyDraft {
  const provider = stage === "custom" ? { provider: "over-grpc" } : {};
  const draft = policy(name, stage, [], { family: "garita", ...provider });
  return {
    ...draft,
    bodies: rules.map(({ body: one = body(), cel = [], more }) => ({
      http: one,
      tcp: one,
      extension: extension(cel, more),
    })),
  };
}

function engineOf(drafts: readonly PolicyDraft[]) {
  const ruleSet = assemble(drafts);
  const scripted = scriptedExpressions();
  const expressions = finish(compileExpressions(ruleSet, scripted.compiler));
  const engine = createEngine(ruleSet, "digest", { scanUpTo: 0, expressions });
  return { engine, view: engine.view(app), expressions, ...scripted };
}

const maybePath = http({ path: UNKNOWN });
const onA = http({ path: "/a" });

/** What a rule on `/a` with these conditions comes to: true, false or unsure, by the two kinds of stages together. */
const kleene: readonly [
  cel: readonly string[],
  body: "true" | "unsure" | "false",
  result: "true" | "unsure" | "false",
][] = [
  [["yes"], "true", "true"],
  [["no"], "true", "false"],
  [["unknown"], "true", "unsure"],
  [["error"], "true", "unsure"],
  [["huge"], "true", "unsure"],
  [["number"], "true", "unsure"],
  [["yes 1", "yes 2"], "true", "true"],
  [["yes", "no"], "true", "false"],
  [["unknown", "no"], "true", "false"],
  [["no", "unknown"], "true", "false"],
  [["error", "yes"], "true", "unsure"],
  [["yes", "error"], "true", "unsure"],
  [["yes"], "unsure", "unsure"],
  [["no"], "unsure", "false"],
  [["unknown"], "unsure", "unsure"],
  [["yes"], "false", "false"],
  [["unknown"], "false", "false"],
  [[], "true", "true"],
  [[], "unsure", "unsure"],
];

for (const [cel, fields, result] of kleene) {
  test(`fields ${fields} and conditions ${cel.join(", ") || "none"}: ${result}, in every stage`, () => {
    const asked = fields === "unsure" ? maybePath : http({ path: fields === "true" ? "/a" : "/b" });
    for (const stage of stages) {
      const { engine, view } = engineOf([own("p", stage, [{ body: onPath("/a"), cel }])]);
      const decision = engine.decide(view, asked);
      const matched = {
        custom: engine.matchCustom(view, asked).length > 0,
        audit: decision.audit?.matched,
        dryRunDeny: decision.dryRun.deny?.result === "denied",
        deny: decision.reason === "policy/denied",
        dryRunAllow: decision.dryRun.allow?.result === "allowed",
        allow: decision.reason === "policy/allowed",
      }[stage];
      const allows = stage === "allow" || stage === "dryRunAllow";
      assert.equal(matched, result === "true" || (result === "unsure" && !allows), stage);
    }
  });
}

test("conditions are asked after the fields, in their order, up to one that is false, and once", () => {
  const { engine, view, evaluated } = engineOf([
    own("d", "deny", [
      { body: onPath("/elsewhere"), cel: ["yes far"] },
      { body: onPath("/a"), cel: ["yes 1", "no 2", "yes 3"] },
    ]),
  ]);
  engine.decide(view, onA);
  assert.deepEqual(evaluated, ["yes 1", "no 2"]);
  engine.decideLinear(view, onA);
  assert.deepEqual(evaluated, ["yes 1", "no 2", "yes 1", "no 2"]);
});

test("equal texts are compiled once, and not again by decisions", () => {
  const rules = Array.from({ length: 5 }, () => ({ cel: ["yes", "yes more"] }));
  const { engine, view, compiled } = engineOf([own("a", "allow", rules), own("b", "deny", [{ cel: ["no"] }])]);
  for (let i = 0; i < 3; i++) engine.decide(view, onA);
  assert.deepEqual(compiled, ["yes", "yes more", "no"]);
});

test("rules of our own group stand beside Istio's, under their own keys", () => {
  const { engine, view } = engineOf([policy("z", "deny", [body()]), own("a", "deny", [{ cel: ["yes"] }])]);
  assert.equal(engine.decide(view, onA).rule?.key, "garita-ns[foo]-policy[a]-rule[0]");
  const other = engineOf([policy("z", "deny", [body()]), own("a", "deny", [{ cel: ["no"] }])]);
  assert.equal(other.engine.decide(other.view, onA).rule?.key, "ns[foo]-policy[z]-rule[0]");
});

/** In one line: the faults of a decision as `policy:rule code`. */
function faultsOf(drafts: readonly PolicyDraft[]): string {
  const { engine, view } = engineOf(drafts);
  const [decision, linear] = [engine.decide(view, onA), engine.decideLinear(view, onA)];
  assert.deepEqual(linear.conditionFaults, decision.conditionFaults);
  assert.deepEqual(engine.explain(view, onA).decision.conditionFaults, decision.conditionFaults);
  return decision.conditionFaults
    .map(({ rule, code }) => `${/policy\[(.*)\]$/.exec(rule.key.replace("]-rule[", ":"))![1]} ${code.slice(10)}`)
    .join(", ");
}

test("a decision tells the codes of conditions that mattered", () => {
  const wrong = { cel: ["error"] };
  const cases: readonly [name: string, drafts: readonly PolicyDraft[], faults: string][] = [
    ["none", [own("a", "allow", [{ cel: ["yes"] }])], ""],
    ["a DENY rule that matched by it", [own("d", "deny", [wrong])], "d:0 error"],
    ["the first of a rule", [own("d", "deny", [{ cel: ["yes", "huge", "error"] }])], "d:0 too-large"],
    ["beside one that is false it did not matter", [own("d", "deny", [{ cel: ["error", "no"] }])], ""],
    [
      "ALLOW rules that did not match for it",
      [own("a", "allow", [wrong, { cel: ["number"] }])],
      "a:0 error, a:1 no-bool",
    ],
    ["not those beyond the rule that allowed", [own("a", "allow", [wrong, { cel: ["yes"] }, wrong])], "a:0 error"],
    ["not those of ALLOW once a rule denied", [own("a", "allow", [wrong]), own("d", "deny", [{ cel: ["yes"] }])], ""],
    ["of all stages", [own("u", "audit", [wrong]), own("y", "dryRunAllow", [wrong])], "u:0 error, y:0 error"],
    ["not those whose fields rule them out", [own("a", "allow", [{ ...wrong, body: onPath("/b") }])], ""],
  ];
  for (const [name, drafts, faults] of cases) assert.equal(faultsOf(drafts), faults, name);
  const many = faultsOf([
    own(
      "a",
      "allow",
      Array.from({ length: 20 }, () => wrong),
    ),
  ]);
  assert.equal(many.split(", ").length, MOST_FAULTS);
});

test("a CUSTOM rule that matched for want of a value says why", () => {
  const { engine, view } = engineOf([own("c", "custom", [{ cel: ["no"] }, { cel: ["unknown"] }, { cel: ["yes"] }])]);
  const found = engine.matchCustom(view, onA).map(({ rule, fault }) => [rule.key.slice(-7), fault]);
  assert.deepEqual(found, [["rule[1]", "condition/unknown-attribute"]]);
  assert.deepEqual(engine.matchCustomLinear(view, onA), engine.matchCustom(view, onA));
});

test("an expression that cannot be compiled is told, and its rule fails closed", () => {
  const { engine, view, expressions } = engineOf([
    own("a", "allow", [{ cel: ["gibberish"] }]),
    own("c", "custom", [{ cel: ["yes claims"] }]),
    own("d", "deny", [{ cel: ["gibberish"], body: onPath("/d") }]),
  ]);
  const why = "a condition does not compile: condition/syntax at 0";
  assert.deepEqual(expressions.unfit, [
    { rule: "garita-ns[foo]-policy[a]-rule[0]", why },
    { rule: "istio-ext-authz-over-grpc-garita-ns[foo]-policy[c]-rule[0]", why },
  ]);
  assert.equal(engine.decide(view, onA).reason, "policy/not-allowed");
  assert.equal(engine.decide(view, http({ path: "/d" })).reason, "policy/denied");
  assert.equal(engine.matchCustom(view, onA).length, 1);
});

const text = (value: string) => ({ kind: "text", text: value }) as const;
const cel = (value: string) =>
  ({ kind: "cel", expression: { text: value, origin: { file: "p.yaml", line: 1, column: 1 } } }) as const;

test("answers of a rule: text as it stands, expressions evaluated, faults by their code", () => {
  const { engine, view, expressions } = engineOf([
    own("d", "deny", [
      {
        more: {
          denyResponse: {
            status: 401,
            headers: [
              ["www-authenticate", text("Basic")],
              ["x-a", cel("error")],
            ],
            body: cel("b"),
          },
        },
      },
    ]),
    own("e", "allow", [
      {
        more: {
          allowResponse: {
            requestHeaders: [["x-b", cel("value")]],
            responseHeaders: [],
            dynamicMetadata: [["Key", cel("unknown")]],
          },
        },
      },
    ]),
  ]);
  assert.deepEqual(expressions.unfit, []);
  const [denying, allowing] = [0, 1].map((id) => ({ id, key: "", origin: { file: "", line: 0, column: 0 } }));
  assert.deepEqual(engine.respond(view, denying!, onA), {
    kind: "deny",
    status: 401,
    headers: [
      ["www-authenticate", { value: "Basic" }],
      ["x-a", { fault: "condition/error" }],
    ],
    body: { value: "b" },
  });
  assert.deepEqual(engine.respond(view, allowing!, onA), {
    kind: "allow",
    requestHeaders: [["x-b", { value: "value" }]],
    responseHeaders: [],
    dynamicMetadata: [["Key", { fault: "condition/unknown-attribute" }]],
  });
  assert.equal(engine.respond(view, denying!, absent), undefined, "a connection has no answer");
});

test("what no answer can hold is told at load", () => {
  const answers: readonly [name: string, more: Partial<RuleExtension>][] = [
    ["status", { denyResponse: { status: 200, headers: [], body: undefined } }],
    ["upper case", { denyResponse: { status: 401, headers: [["X-A", text("a")]], body: undefined } }],
    ["host", { denyResponse: { status: 401, headers: [["host", text("a")]], body: undefined } }],
    ["ours", { denyResponse: { status: 401, headers: [["x-garita-tls", text("a")]], body: undefined } }],
    ["broken", { denyResponse: { status: 401, headers: [], body: cel("broken") } }],
    ["pseudo", { allowResponse: { requestHeaders: [[":path", text("/")]], responseHeaders: [], dynamicMetadata: [] } }],
    ["own key", { allowResponse: { requestHeaders: [], responseHeaders: [], dynamicMetadata: [["rule", text("a")]] } }],
    ["key", { allowResponse: { requestHeaders: [], responseHeaders: [], dynamicMetadata: [["", text("")]] } }],
  ];
  for (const [name, more] of answers) {
    const { expressions } = engineOf([own("d", more.denyResponse ? "deny" : "allow", [{ more }])]);
    assert.equal(expressions.unfit.length, 1, name);
  }
});

test("an explanation shows every condition of the rules that came nearest, and counts them as fields", () => {
  const { engine, view } = engineOf([
    own("a", "allow", [{ body: onPath("/b"), cel: ["yes", "unknown"] }]),
    own("b", "allow", [{ body: onPath("/a"), cel: ["yes 1", "yes 2", "no"] }]),
  ]);
  const { nearest, unknown } = engine.explain(view, onA);
  const shown = nearest.map(({ rule, satisfied, total, conditions }) => [
    rule.key.slice(0, -8),
    `${satisfied}/${total}`,
    conditions.map(({ text: written, result, fault, attribute, trace }) => [
      written,
      result,
      fault,
      attribute,
      trace[0]!.shown,
    ]),
  ]);
  assert.deepEqual(shown, [
    [
      "garita-ns[foo]-policy[b]",
      "3/4",
      [
        ["yes 1", "true", undefined, undefined, "true"],
        ["yes 2", "true", undefined, undefined, "true"],
        ["no", "false", undefined, undefined, "false"],
      ],
    ],
    [
      "garita-ns[foo]-policy[a]",
      "1/3",
      [
        ["yes", "true", undefined, undefined, "true"],
        ["unknown", "unknown", "condition/unknown-attribute", "source.ip", "undefined"],
      ],
    ],
  ]);
  assert.deepEqual(unknown, []);
  const missed = engineOf([own("a", "allow", [{ cel: ["unknown"] }])]);
  assert.deepEqual(
    missed.engine.explain(missed.view, onA).unknown.map(({ attribute }) => attribute),
    ["source.ip"],
  );
});
