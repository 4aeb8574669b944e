import assert from "node:assert/strict";
import { test } from "node:test";
import { type HeaderLines, UNKNOWN, type Workload } from "#authz/engine/attributes";
import { createEngine } from "#authz/engine/create-engine";
import { seenValue } from "#authz/engine/seen";
import { addressText } from "#policy-compiler/conditions/address-text";
import type { Attribute, FieldTest } from "#policy-compiler/ruleset/model";
import { body, onPath, pathField, policy } from "#test/support/generate/policies";
import { absent, http, over } from "#test/support/generate/requests";
import { assemble, type PolicyDraft } from "#test/support/generate/rule-sets";

const app: Workload = {
  namespace: "foo",
  name: "app",
  labels: new Map(),
  kind: "sidecar",
  gateway: undefined,
  service: undefined,
};

function explained(drafts: readonly PolicyDraft[], request = http({ path: "/a" })) {
  const engine = createEngine(assemble(drafts), "digest");
  return engine.explain(engine.view(app), request);
}

function methods(...wanted: string[]): FieldTest {
  return {
    field: "methods",
    attribute: { kind: "method" },
    values: wanted.map((text) => ({ kind: "text", test: { op: "exact", text } })),
    notValues: [],
    texts: wanted,
    notTexts: [],
  };
}

function headerField(name: string, value: string): FieldTest {
  return { ...methods(value), field: `request.headers[${name}]`, attribute: { kind: "header", name } };
}

test("an ALLOW miss names the field that failed, what was wanted and what was seen", () => {
  const { decision, nearest } = explained([
    policy("a", "allow", [body([[methods("GET"), pathField({ op: "exact", text: "/b" })]])]),
  ]);
  assert.equal(decision.reason, "policy/not-allowed");
  assert.deepEqual(nearest, [
    {
      rule: { id: 0, key: "ns[foo]-policy[a]-rule[0]", origin: { file: "a.yaml", line: 1, column: 1 } },
      stage: "allow",
      satisfied: 1,
      total: 2,
      failed: [{ side: "to", field: "paths", wanted: ["/b"], seen: "/a", result: "false" }],
      conditions: [],
    },
  ]);
});

test("the nearest rules come first, at most five, ties in the order of rules", () => {
  const far = Array.from({ length: 6 }, () => body([[methods("PUT"), pathField({ op: "exact", text: "/x" })]]));
  const near = body([[methods("GET"), pathField({ op: "exact", text: "/x" })]]);
  const { nearest } = explained([
    policy("a", "allow", far),
    policy("b", "allow", [near]),
    policy("d", "deny", [onPath("/x")]),
  ]);
  assert.deepEqual(
    nearest.map(({ rule }) => rule.key.replace("ns[foo]-", "")),
    ["policy[b]-rule[0]", ...[0, 1, 2, 3].map((i) => `policy[a]-rule[${i}]`)],
  );
});

test("of several entries the one that came nearest speaks", () => {
  const { nearest } = explained([
    policy("a", "allow", [
      body([
        [methods("PUT"), pathField({ op: "exact", text: "/x" })],
        [methods("PUT"), pathField({ op: "exact", text: "/a" })],
      ]),
    ]),
  ]);
  assert.deepEqual(
    nearest[0]?.failed.map(({ field }) => field),
    ["methods"],
  );
});

test("a failed negation is named as its author wrote it", () => {
  const not = pathField({ op: "prefix", text: "/" }, { op: "exact", text: "/a" });
  const condition: FieldTest = {
    ...headerField("x-t", "v"),
    values: [],
    notValues: headerField("x-t", "v").values,
    texts: [],
    notTexts: ["v"],
  };
  const lines: HeaderLines = { lines: ["v"], joined: false };
  const { nearest } = explained(
    [policy("a", "allow", [body([[not]], [], [condition])])],
    http({ path: "/a" }, new Map([["x-t", lines]])),
  );
  assert.deepEqual(nearest[0]?.failed, [
    { side: "to", field: "notPaths", wanted: ["/a"], seen: "/a", result: "false" },
    { side: "when", field: "request.headers[x-t] notValues", wanted: ["v"], seen: "v", result: "false" },
  ]);
  assert.deepEqual([nearest[0]?.satisfied, nearest[0]?.total], [0, 2]);
});

test("what was unknown and mattered is named with the line that would have brought it", () => {
  const joined: HeaderLines = { lines: ["user,admin"], joined: true };
  const identity: FieldTest = {
    ...methods(),
    field: "principals",
    attribute: { kind: "identity" },
    values: [{ kind: "principal", test: { op: "present" } }],
  };
  const remote: FieldTest = {
    ...methods(),
    field: "remoteIpBlocks",
    attribute: { kind: "remoteAddress" },
    values: [{ kind: "cidr", bytes: [10, 0, 0, 0], prefixLength: 8 }],
  };
  const request = { ...http({}, new Map([["x-role", joined]])), peer: UNKNOWN, remoteAddress: UNKNOWN } as const;
  const { unknown, decision } = explained(
    [
      policy("a", "allow", [body([], [[identity]]), body([], [[remote]], [methods("PUT")])]),
      policy("d", "deny", [body([], [], [headerField("x-role", "admin")])]),
    ],
    request,
  );
  assert.equal(decision.rule?.key, "ns[foo]-policy[d]-rule[0]");
  assert.deepEqual(
    unknown.map(({ attribute }) => attribute),
    // The second rule was false whatever the remote address is.
    ["source.principal", "request.headers[x-role]"],
  );
  assert.match(unknown[0]!.remedy, /x-garita-uris/);
  assert.equal(unknown[1]!.remedy, "encode_raw_headers: true");
});

test("policies that apply are listed, with or without rules", () => {
  const { applied, nearest } = explained([
    policy("d", "deny", [onPath("/x")]),
    policy("u", "audit", []),
    policy("z", "deny", [], { namespace: "bar" }),
  ]);
  assert.deepEqual(
    applied.map(({ stage, name }) => [stage, name]),
    [
      ["deny", "d"],
      ["audit", "u"],
    ],
  );
  assert.deepEqual(nearest, []);
});

const v6 = (...groups: number[]) => ({ bytes: groups.flatMap((group) => [group >> 8, group & 0xff]) });
const addresses = [
  [{ bytes: [10, 0, 0, 9] }, "10.0.0.9"],
  [v6(0, 0, 0, 0, 0, 0, 0, 0), "::"],
  [v6(0, 0, 0, 0, 0, 0, 0, 1), "::1"],
  [v6(0x2001, 0xdb8, 0, 0, 1, 0, 0, 1), "2001:db8::1:0:0:1"],
  [v6(0x2001, 0xdb8, 0, 1, 1, 1, 1, 1), "2001:db8:0:1:1:1:1:1"],
  [v6(0xfe80, 1, 2, 3, 4, 5, 0, 0), "fe80:1:2:3:4:5::"],
  [v6(0, 0, 0, 0, 0, 0xffff, 0x0a00, 0x0009), "::ffff:10.0.0.9"],
] as const;

for (const [address, text] of addresses) {
  test(`addresses are shown as people write them: ${text}`, () => assert.equal(addressText(address.bytes), text));
}

const seen: readonly [attribute: Attribute, request: typeof absent, text: string | undefined][] = [
  [{ kind: "path" }, http({ path: "/caf\u00c3\u00a9" }), "/café"],
  [{ kind: "path" }, absent, undefined],
  [{ kind: "host" }, http({ host: "X.com" }), "X.com"],
  [{ kind: "sni" }, over({ sni: "x.com" }), "x.com"],
  [{ kind: "port" }, over({ destinationPort: 80 }), "80"],
  [{ kind: "peerAddress" }, over({ peerAddress: { bytes: [1, 2, 3, 4] } }), "1.2.3.4"],
  [{ kind: "peerAddress" }, over({ peerAddress: UNKNOWN }), undefined],
  [{ kind: "identity" }, over({ peer: { names: ["a", "b"], opaque: ["c,d"], complete: true } }), "a, b, c,d"],
  [{ kind: "header", name: "x" }, http({}, new Map([["x", { lines: ["1", "2"], joined: false }]])), "1, 2"],
  [{ kind: "requestPrincipal" }, over({ claims: { iss: "i", sub: "s" } }), "i/s"],
  [{ kind: "requestPrincipal" }, over({ claims: { iss: "i" } }), "i/"],
  [{ kind: "claim", path: ["g"] }, over({ claims: { g: ["a", 1] } }), '["a",1]'],
  [{ kind: "claim", path: ["g"] }, over({ claims: {} }), undefined],
  [{ kind: "metadata", namespace: "n", key: "k" }, over({ metadata: () => ["v", "w"] }), "v, w"],
];

for (const [attribute, request, text] of seen) {
  test(`the value seen of ${attribute.kind}: ${text ?? "none"}`, () =>
    assert.equal(seenValue(attribute, request), text));
}
