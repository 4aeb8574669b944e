import assert from "node:assert/strict";
import { test } from "node:test";
import { UNKNOWN, type Workload } from "#authz/engine/attributes";
import { createEngine } from "#authz/engine/create-engine";
import type { RuleBody } from "#policy-compiler/ruleset/model";
import { body, onPath, pathField, policy } from "#test/support/generate/policies";
import { absent, http } from "#test/support/generate/requests";
import { assemble, type PolicyDraft } from "#test/support/generate/rule-sets";

const app: Workload = {
  namespace: "foo",
  name: "app",
  labels: new Map(),
  kind: "sidecar",
  gateway: undefined,
  service: undefined,
};
const everything: RuleBody = body();
const aOrUnknown = onPath("/a");

/** In one line: outcome, reason without its area, rule; then AUDIT, then the dry-run stages. */
function decided(drafts: readonly PolicyDraft[], request = http({ path: "/a" })): string {
  const engine = createEngine(assemble(drafts), "digest", { scanUpTo: 0 });
  const view = engine.view(app);
  const { outcome, reason, rule, audit, dryRun } = engine.decide(view, request);
  const short = (key: string | undefined) => key?.replace(/^ns\[foo\]-policy\[(.*)\]-rule\[(\d+)\]$/, "$1:$2") ?? "-";
  const parts = [outcome, reason.replace("policy/", ""), short(rule?.key)];
  if (audit !== undefined) parts.push(`audit ${audit.matched} ${short(audit.rule?.key)}`);
  for (const stage of ["deny", "allow"] as const) {
    const result = dryRun[stage];
    if (result !== undefined) parts.push(`dry ${stage} ${result.result} ${short(result.rule?.key)}`);
  }
  return parts.join(" ");
}

const cases: readonly [name: string, policies: readonly PolicyDraft[], expected: string, request?: typeof absent][] = [
  ["no policies", [], "allow no-policy -"],
  ["ALLOW without rules", [policy("a", "allow", [])], "deny not-allowed -"],
  ["ALLOW everything", [policy("a", "allow", [everything])], "allow allowed a:0"],
  [
    "ALLOW nothing beside ALLOW everything",
    [policy("a", "allow", []), policy("b", "allow", [everything])],
    "allow allowed b:0",
  ],
  ["ALLOW misses", [policy("a", "allow", [onPath("/b")])], "deny not-allowed -"],
  ["DENY without rules", [policy("d", "deny", [])], "allow no-policy -"],
  ["DENY misses", [policy("d", "deny", [onPath("/b")])], "allow no-policy -"],
  ["DENY everything", [policy("d", "deny", [everything])], "deny denied d:0"],
  ["DENY over ALLOW", [policy("a", "allow", [everything]), policy("d", "deny", [aOrUnknown])], "deny denied d:0"],
  ["an empty entry is any", [policy("a", "allow", [body([[]], [[]])])], "allow allowed a:0"],
  [
    "entries are OR",
    [
      policy("a", "allow", [
        body([[pathField({ op: "exact", text: "/b" })], [pathField({ op: "exact", text: "/a" })]]),
      ]),
    ],
    "allow allowed a:0",
  ],
  [
    "fields are AND",
    [policy("a", "allow", [body([[pathField({ op: "exact", text: "/a" }), pathField({ op: "exact", text: "/b" })]])])],
    "deny not-allowed -",
  ],
  [
    "conditions are AND",
    [
      policy("a", "allow", [
        body([], [], [pathField({ op: "exact", text: "/a" }), pathField({ op: "exact", text: "/b" })]),
      ]),
    ],
    "deny not-allowed -",
  ],
  [
    "reported in the order of keys as text",
    [
      policy(
        "d",
        "deny",
        Array.from({ length: 12 }, (_, i) => onPath(i === 2 || i === 10 ? "/a" : "/x")),
      ),
    ],
    "deny denied d:10",
  ],
  [
    "reported in the order of policies",
    [policy("e", "deny", [aOrUnknown]), policy("d", "deny", [onPath("/x"), aOrUnknown])],
    "deny denied d:1",
  ],
  ["AUDIT matches", [policy("u", "audit", [aOrUnknown])], "allow no-policy - audit true u:0"],
  ["AUDIT misses", [policy("u", "audit", [onPath("/b")])], "allow no-policy - audit false -"],
  ["AUDIT without rules", [policy("u", "audit", [])], "allow no-policy - audit false -"],
  [
    "AUDIT before DENY",
    [policy("u", "audit", [aOrUnknown]), policy("d", "deny", [everything])],
    "deny denied d:0 audit true u:0",
  ],
  ["dry-run DENY matches", [policy("x", "dryRunDeny", [aOrUnknown])], "allow no-policy - dry deny denied x:0"],
  ["dry-run DENY misses", [policy("x", "dryRunDeny", [onPath("/b")])], "allow no-policy - dry deny allowed -"],
  ["dry-run ALLOW matches", [policy("y", "dryRunAllow", [aOrUnknown])], "allow no-policy - dry allow allowed y:0"],
  [
    "dry-run ALLOW misses and enforces nothing",
    [policy("y", "dryRunAllow", [onPath("/b")])],
    "allow no-policy - dry allow denied -",
  ],
  ["dry-run ALLOW without rules", [policy("y", "dryRunAllow", [])], "allow no-policy - dry allow denied -"],
  [
    "dry-run beside enforced ALLOW",
    [policy("y", "dryRunAllow", [everything]), policy("a", "allow", [onPath("/b")])],
    "deny not-allowed - dry allow allowed y:0",
  ],
  [
    "a DENY match hides dry-run ALLOW and not dry-run DENY",
    [
      policy("x", "dryRunDeny", [everything]),
      policy("y", "dryRunAllow", [everything]),
      policy("d", "deny", [everything]),
    ],
    "deny denied d:0 dry deny denied x:0",
  ],
  ["unknown does not allow", [policy("a", "allow", [aOrUnknown])], "deny not-allowed -", http({ path: UNKNOWN })],
  ["unknown denies", [policy("d", "deny", [aOrUnknown])], "deny denied d:0", http({ path: UNKNOWN })],
  [
    "unknown is audited",
    [policy("u", "audit", [aOrUnknown])],
    "allow no-policy - audit true u:0",
    http({ path: UNKNOWN }),
  ],
  [
    "unknown would be denied",
    [policy("x", "dryRunDeny", [aOrUnknown])],
    "allow no-policy - dry deny denied x:0",
    http({ path: UNKNOWN }),
  ],
  [
    "unknown would not be allowed",
    [policy("y", "dryRunAllow", [aOrUnknown])],
    "allow no-policy - dry allow denied -",
    http({ path: UNKNOWN }),
  ],
  [
    "unknown and false is false",
    [policy("d", "deny", [body([[pathField({ op: "exact", text: "/a" })]], [], [methodIs("PUT")])])],
    "allow no-policy -",
    http({ path: UNKNOWN }),
  ],
  [
    "unknown or true is true",
    [policy("a", "allow", [body([[pathField({ op: "exact", text: "/a" })], [methodIs("GET")]])])],
    "allow allowed a:0",
    http({ path: UNKNOWN }),
  ],
];

function methodIs(text: string) {
  return { ...pathField({ op: "exact", text }), field: "methods", attribute: { kind: "method" } as const };
}

for (const [name, drafts, expected, request] of cases) {
  test(`decide: ${name}`, () => assert.equal(decided(drafts, request), expected));
}

test("a connection is decided by the bodies for TCP, and by none where the rule was dropped", () => {
  const dropped = { ...policy("a", "allow", []), bodies: [{ http: everything, tcp: undefined }] };
  const widened = { ...policy("d", "deny", []), bodies: [{ http: onPath("/x"), tcp: everything }] };
  assert.equal(decided([dropped], absent), "deny not-allowed -");
  assert.equal(decided([dropped]), "allow allowed a:0");
  assert.equal(decided([widened], absent), "deny denied d:0");
  assert.equal(decided([widened]), "allow no-policy -");
});

test("CUSTOM: the smallest matching rule of each provider, providers in byte order, HTTP providers silent on TCP", () => {
  const custom = (name: string, provider: string, bodies: readonly RuleBody[]) =>
    policy(name, "custom", bodies, { provider });
  const drafts = [
    custom("c1", "over-http", [onPath("/x"), aOrUnknown, everything]),
    custom("c2", "over-grpc", [everything]),
    custom("c3", "Zz", [everything]),
    custom("c4", "over-grpc", [onPath("/none")]),
    custom("c5", "silent", [onPath("/none")]),
    custom("c6", "empty", []),
  ];
  const engine = createEngine(assemble(drafts), "digest");
  const view = engine.view(app);
  const keys = (request: typeof absent) =>
    engine.matchCustom(view, request).map(({ provider, rule }) => [provider, rule.key]);
  assert.ok(view.customProviders.length > 0);
  assert.deepEqual(keys(http({ path: "/a" })), [
    ["Zz", "istio-ext-authz-Zz-ns[foo]-policy[c3]-rule[0]"],
    ["over-grpc", "istio-ext-authz-over-grpc-ns[foo]-policy[c2]-rule[0]"],
    ["over-http", "istio-ext-authz-over-http-ns[foo]-policy[c1]-rule[1]"],
  ]);
  assert.deepEqual(
    keys({ ...absent, peer: undefined }).map(([provider]) => provider),
    ["Zz", "over-grpc"],
  );
  assert.deepEqual(
    keys(http({ path: UNKNOWN })).map(([provider]) => provider),
    ["Zz", "over-grpc", "over-http", "silent"],
  );
  assert.equal(engine.decide(view, http({})).reason, "policy/no-policy", "CUSTOM rules decide nothing here");
});

test("views are shared by equal descriptions, and those of another engine are read for their workload", () => {
  const drafts = [policy("a", "deny", [everything], { attachment: { kind: "selector", labels: [["app", "x"]] } })];
  const engine = createEngine(assemble(drafts), "one");
  const other = createEngine(assemble([]), "two");
  const labelled = (labels: readonly [string, string][]): Workload => ({ ...app, labels: new Map(labels) });
  const one = engine.view(
    labelled([
      ["app", "x"],
      ["b", "1"],
    ]),
  );
  assert.equal(
    engine.view(
      labelled([
        ["b", "1"],
        ["app", "x"],
      ]),
    ),
    one,
  );
  assert.notEqual(engine.view(labelled([["app", "x"]])), one);
  assert.notEqual(
    engine.view({
      ...labelled([
        ["app", "x"],
        ["b", "1"],
      ]),
      name: "else",
    }),
    one,
  );
  assert.equal(engine.decide(one, absent).outcome, "deny");
  assert.equal(engine.decide(engine.view(app), absent).outcome, "allow");
  assert.equal(engine.decide(other.view(labelled([["app", "x"]])), absent).outcome, "deny");
  assert.equal(other.decide(one, absent).outcome, "allow");
});

test("without the index nothing changes but the number of rules asked", () => {
  const drafts = Array.from({ length: 20 }, (_, i) => policy(`p${i}`, "allow", [onPath(`/${i}`)]));
  const set = assemble(drafts);
  const [indexed, linear] = [createEngine(set, "d"), createEngine(set, "d", { index: false })];
  const of = (engine: typeof indexed) => engine.decide(engine.view(app), http({ path: "/7" }));
  assert.deepEqual({ ...of(indexed), visited: 0 }, { ...of(linear), visited: 0 });
  assert.equal(of(indexed).visited, 1);
  assert.ok(of(linear).visited > 1);
});
