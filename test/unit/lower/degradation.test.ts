import assert from "node:assert/strict";
import { test } from "node:test";
import { lowered, outline, policyYaml } from "#test/support/lowered";

type Outline = readonly string[] | undefined;

function bodies(spec: string): { readonly http: Outline; readonly tcp: Outline; readonly codes: readonly string[] } {
  const { ruleSet, findings } = lowered({ "p.yaml": policyYaml(spec) });
  assert.equal(ruleSet.rules.length, 1);
  const rule = ruleSet.rules[0]!;
  return { http: outline(rule.http), tcp: outline(rule.tcp), codes: findings.map(({ code }) => code) };
}

/** Actions, the rule, what is left for HTTP, what is left for TCP (`same`: the same object). */
const table: readonly (readonly [actions: string, rule: string, http: Outline, tcp: Outline | "same"])[] = [
  ["ALLOW DENY AUDIT", "{}", [], "same"],
  ["ALLOW DENY AUDIT", "null", [], "same"],
  ["ALLOW DENY", "{from: [], to: [], when: []}", [], "same"],
  ["ALLOW DENY", "{from: [{source: {}}], to: [{operation: {}}]}", ["to[0] any", "from[0] any"], "same"],
  ["ALLOW DENY", "{from: [{source: {principals: [a]}}]}", ["from[0].principals"], "same"],
  ["ALLOW DENY", "{when: [{key: source.ip}]}", [], "same"],
  ["ALLOW", "{to: [{operation: {methods: [GET]}}]}", ["to[0].methods"], undefined],
  ["DENY AUDIT CUSTOM", "{to: [{operation: {methods: [GET]}}]}", ["to[0].methods"], ["to[0] any"]],
  ["DENY", "{to: [{operation: {notMethods: [GET]}}]}", ["to[0].methods"], ["to[0] any"]],
  ["DENY", "{to: [{operation: {methods: [GET], ports: ['80']}}]}", ["to[0].ports", "to[0].methods"], ["to[0].ports"]],
  [
    "ALLOW",
    "{to: [{operation: {methods: [GET]}}, {operation: {ports: ['80']}}]}",
    ["to[0].methods", "to[1].ports"],
    undefined,
  ],
  [
    "DENY",
    "{from: [{source: {requestPrincipals: [a]}}, {source: {ipBlocks: [10.0.0.1]}}]}",
    ["from[0].requestPrincipals", "from[1].ipBlocks"],
    ["from[0] any", "from[1].ipBlocks"],
  ],
  ["ALLOW", "{when: [{key: 'request.headers[a]', values: [b]}]}", ["when request.headers[a]"], undefined],
  [
    "DENY",
    "{when: [{key: 'request.headers[a]', values: [b]}, {key: connection.sni, values: [c]}]}",
    ["when request.headers[a]", "when connection.sni"],
    ["when connection.sni"],
  ],
  ["ALLOW DENY", "{when: [{key: remote.ip, values: [10.0.0.1]}]}", ["when remote.ip"], "same"],
  [
    "ALLOW DENY",
    "{when: [{key: 'experimental.envoy.filters.a[b]', values: [c]}]}",
    ["when experimental.envoy.filters.a[b]"],
    "same",
  ],
  ["ALLOW", "{from: [{source: {ipBlocks: [bad, 10.0.0.1]}}]}", undefined, "same"],
  ["DENY", "{from: [{source: {ipBlocks: [bad, 10.0.0.1]}}]}", ["from[0].ipBlocks"], "same"],
  ["DENY", "{from: [{source: {ipBlocks: [bad]}}]}", ["from[0] any"], "same"],
  ["DENY", "{from: [{source: {notIpBlocks: [bad]}}]}", ["from[0] any"], "same"],
  ["ALLOW", "{to: [{operation: {ports: ['99999']}}]}", undefined, "same"],
  ["DENY", "{to: [{operation: {ports: ['99999']}}]}", ["to[0] any"], "same"],
  ["ALLOW", "{to: [{operation: {paths: ['foo/{*}']}}]}", undefined, "same"],
  ["DENY", "{to: [{operation: {paths: ['foo/{*}']}}]}", ["to[0] any"], ["to[0] any"]],
  ["ALLOW", "{when: [{key: 'request.headersFoo[x]', values: [b]}]}", undefined, "same"],
  ["DENY", "{when: [{key: 'request.headersFoo[x]', values: [b]}]}", [], "same"],
  ["DENY", "{when: [{key: 'request.auth.claims[a][]', notValues: [b]}]}", [], "same"],
  ["ALLOW DENY AUDIT CUSTOM", "{when: [{key: request.method, values: [GET]}]}", undefined, "same"],
  [
    "DENY",
    "{from: [{source: {principals: [a]}}], when: [{key: 'destination.labels[a]', values: [b]}]}",
    undefined,
    "same",
  ],
  ["DENY", "{when: [{key: nonsense}]}", undefined, "same"],
];

for (const [actions, rule, http, tcp] of table) {
  for (const action of actions.split(" ")) {
    test(`${action} ${rule}`, () => {
      const provider = action === "CUSTOM" ? ", provider: {name: x}" : "";
      const found = bodies(`{action: ${action}${provider}, rules: [${rule}]}`);
      assert.deepEqual(found.http, http);
      assert.deepEqual(found.tcp, tcp === "same" ? http : tcp);
    });
  }
}

test("where nothing differs the rule has one body", () => {
  const { ruleSet } = lowered({ "p.yaml": policyYaml("{rules: [{to: [{operation: {ports: ['80']}}]}]}") });
  assert.ok(ruleSet.rules[0]?.http !== undefined);
  assert.equal(ruleSet.rules[0]?.tcp, ruleSet.rules[0]?.http);
});

test("what is left of a list keeps its other values", () => {
  const { ruleSet, findings } = lowered({
    "p.yaml": policyYaml("{action: DENY, rules: [{from: [{source: {ipBlocks: [bad, 10.0.0.1]}}]}]}"),
  });
  const field = ruleSet.rules[0]?.http?.from[0]?.[0];
  assert.deepEqual(field?.values, [{ kind: "cidr", bytes: [10, 0, 0, 1], prefixLength: 32 }]);
  assert.deepEqual(field?.texts, ["10.0.0.1"]);
  const message = "expected a value that `ipBlocks` can be tested for, found `bad`, which would be left out";
  assert.deepEqual(
    findings.map((finding) => [finding.code, finding.message]),
    [["lowering/value-not-compiled", message]],
  );
});

test("an unknown attribute says so at its place", () => {
  const text = policyYaml("{action: DENY, rules: [{when: [{key: request.method, values: [GET]}]}]}");
  const places = lowered({ "p.yaml": text }).findings.map(({ code, span }) => [code, text.slice(span.start, span.end)]);
  assert.deepEqual(places, [["lowering/unknown-attribute", "request.method"]]);
});

test("what only TCP cannot ask is no finding", () => {
  assert.deepEqual(bodies("{action: DENY, rules: [{to: [{operation: {methods: [GET]}}]}]}").codes, []);
});
