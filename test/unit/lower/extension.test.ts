import assert from "node:assert/strict";
import { test } from "node:test";
import { buildIndexes } from "#policy-compiler/index/build";
import { ruleKey } from "#policy-compiler/ruleset/model";
import { lowered, outline } from "#test/support/lowered";

const policy = (name: string, spec: string, own = true, namespace = "foo") =>
  `apiVersion: ${own ? "garita.dev/v1alpha1" : "security.istio.io/v1"}
kind: AuthorizationPolicy
metadata: {name: ${name}, namespace: ${namespace}}
spec: ${spec}
`;

function lower(...policies: readonly string[]) {
  const { ruleSet, findings } = lowered({ "p.yaml": policies.join("---\n") });
  assert.deepEqual(findings, []);
  return ruleSet;
}

const keys = ({ policies, rules }: ReturnType<typeof lower>) =>
  rules.map((rule) => ruleKey(policies[rule.policy]!, rule.ordinal));

test("conditions and answers come into the rule set with their places", () => {
  const { policies, rules } = lower(
    `apiVersion: garita.dev/v1alpha1
kind: AuthorizationPolicy
metadata: {name: p, namespace: foo}
spec:
  action: DENY
  rules:
  - cel:
    - request.method == "GET"
    - |
      claims.sub ==
        "a"
    denyResponse:
      status: 401
      headers: {WWW-Authenticate: Bearer é, X-Sub: {cel: claims.sub}}
      body: {cel: "'no'"}
`,
  );
  assert.equal(policies[0]?.family, "garita");
  const place = (line: number, column: number) => ({ file: "p.yaml", line, column });
  assert.deepEqual(rules[0]?.extension, {
    conditions: [
      { text: 'request.method == "GET"', origin: place(8, 7) },
      { text: 'claims.sub ==\n  "a"', origin: place(10, 7) },
    ],
    denyResponse: {
      status: 401,
      headers: [
        // Text is bytes, names are lower case.
        ["www-authenticate", { kind: "text", text: "Bearer \u00c3\u00a9" }],
        ["x-sub", { kind: "cel", expression: { text: "claims.sub", origin: place(14, 58) } }],
      ],
      body: { kind: "cel", expression: { text: "'no'", origin: place(15, 20) } },
    },
    allowResponse: undefined,
  });
});

test("what is added to an allowed request comes into the rule set", () => {
  const { rules } = lower(
    policy(
      "p",
      "{rules: [{allowResponse: {requestHeaders: {X-A: b}, responseHeaders: {C: ''}, dynamicMetadata: {Dé: {cel: e}}}}]}",
    ),
  );
  assert.deepEqual(rules[0]?.extension, {
    conditions: [],
    denyResponse: undefined,
    allowResponse: {
      requestHeaders: [["x-a", { kind: "text", text: "b" }]],
      responseHeaders: [["c", { kind: "text", text: "" }]],
      dynamicMetadata: [
        ["Dé", { kind: "cel", expression: { text: "e", origin: { file: "p.yaml", line: 4, column: 113 } } }],
      ],
    },
  });
});

test("an answer without a status has none, and one of nothing is no extension", () => {
  const { rules } = lower(policy("p", "{action: DENY, rules: [{denyResponse: {body: ''}}, {}]}"));
  assert.deepEqual(rules[0]?.extension?.denyResponse, {
    status: undefined,
    headers: [],
    body: { kind: "text", text: "" },
  });
  for (const rule of rules.slice(1)) assert.equal(Object.hasOwn(rule, "extension"), false);
});

test("conditions that were begun and not written are an error here too", () => {
  for (const cel of ["[]", "null", "['']"]) {
    const { findings } = lowered({ "p.yaml": policy("p", `{rules: [{cel: ${cel}}]}`) });
    assert.deepEqual(
      findings.map(({ code }) => code),
      ["lowering/value-not-compiled"],
      cel,
    );
  }
});

test("Istio's policies and rules have no members of ours", () => {
  const { policies, rules } = lower(policy("p", "{rules: [{}]}", false));
  assert.equal(Object.hasOwn(policies[0]!, "family"), false);
  assert.equal(Object.hasOwn(rules[0]!, "extension"), false);
});

type Outline = readonly string[] | undefined;

/** Actions, the rule's own fields, what is left for HTTP, what is left for TCP. Conditions stay for both. */
const degraded: readonly (readonly [actions: string, fields: string, http: Outline, tcp: Outline | "same"])[] = [
  ["ALLOW DENY AUDIT CUSTOM", "", [], "same"],
  ["ALLOW", "to: [{operation: {methods: [GET]}}],", ["to[0].methods"], undefined],
  ["DENY AUDIT", "to: [{operation: {methods: [GET]}}],", ["to[0].methods"], ["to[0] any"]],
  ["ALLOW DENY", "to: [{operation: {ports: ['80']}}],", ["to[0].ports"], "same"],
];

for (const [actions, fields, http, tcp] of degraded) {
  for (const action of actions.split(" ")) {
    test(`a rule with conditions is degraded as Istio's: ${action} ${fields}`, () => {
      const { rules } = lower(policy("p", `{action: ${action}, rules: [{${fields} cel: ["true"]}]}`));
      const rule = rules[0]!;
      assert.deepEqual(outline(rule.http), http);
      if (tcp === "same") assert.equal(rule.tcp, rule.http);
      else assert.deepEqual(outline(rule.tcp), tcp);
      assert.equal(rule.extension?.conditions.length, 1);
    });
  }
}

test("rules stand in the order of their keys, ours before Istio's", () => {
  const rules = "{rules: [{cel: [a]}, {cel: [a]}]}";
  const sorted = lower(
    policy("b", rules),
    policy("a", "{rules: [{}]}", false),
    policy("a", rules, true, "zoo"),
    policy("b", "{rules: [{}]}", false),
    policy("a", rules),
  );
  assert.deepEqual(
    sorted.policies.map(({ family, namespace, name }) => [family, namespace, name].join(" ")),
    ["garita foo a", "garita foo b", "garita zoo a", " foo a", " foo b"],
  );
  const all = keys(sorted);
  assert.deepEqual(all, all.toSorted());
  assert.deepEqual(all.slice(0, 2), ["garita-ns[foo]-policy[a]-rule[0]", "garita-ns[foo]-policy[a]-rule[1]"]);
  assert.equal(all.at(-1), "ns[foo]-policy[b]-rule[0]");
});

test("keys of CUSTOM rules have their provider before the family, and stand in order for each provider", () => {
  const custom = (provider: string) => `{action: CUSTOM, provider: {name: ${provider}}, rules: [{}]}`;
  const ruleSet = lower(
    policy("a", custom("p"), false),
    policy("b", custom("p")),
    policy("a", custom("q"), false, "zoo"),
    policy("c", custom("q")),
  );
  const all = keys(ruleSet);
  assert.deepEqual(all, [
    "istio-ext-authz-p-garita-ns[foo]-policy[b]-rule[0]",
    "istio-ext-authz-q-garita-ns[foo]-policy[c]-rule[0]",
    "istio-ext-authz-p-ns[foo]-policy[a]-rule[0]",
    "istio-ext-authz-q-ns[zoo]-policy[a]-rule[0]",
  ]);
  for (const provider of ["p", "q"]) {
    const its = all.filter((key) => key.startsWith(`istio-ext-authz-${provider}-`));
    assert.deepEqual(its, its.toSorted());
  }
});

test("policies of ours attach as Istio's", () => {
  for (const place of [
    "selector: {matchLabels: {b: c, a: b}}",
    "targetRefs: [{kind: Service, name: x}]",
    "action: DENY",
  ]) {
    const [own, istio] = [true, false].map((own) => lower(policy("p", `{${place}, rules: [{}]}`, own)).policies[0]);
    assert.deepEqual({ family: "garita", ...istio }, own);
  }
});

test("the annotation of dry-run counts for policies of ours too", () => {
  const text = policy("p, annotations: {istio.io/dry-run: 'true'}", "{action: DENY, rules: [{cel: [a]}]}");
  assert.equal(lower(text).policies[0]?.stage, "dryRunDeny");
});

test("a rule is filed by its fields, with or without conditions", () => {
  const fields = "from: [{source: {namespaces: [a]}}], to: [{operation: {paths: [/b]}}],";
  const indexes = ["", "cel: [\"request.path == '/c'\"]"].map((cel) =>
    buildIndexes(lower(policy("p", `{rules: [{${fields} ${cel}}, {${cel}}]}`))),
  );
  assert.deepEqual(indexes[1], indexes[0]);
  const root = lower(policy("p", '{rules: [{cel: ["false"]}]}', true, "istio-system"));
  assert.deepEqual(buildIndexes(root).http, { always: [0], dimensions: [] });
});
