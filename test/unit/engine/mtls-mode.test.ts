import assert from "node:assert/strict";
import { test } from "node:test";
import type { Workload } from "#authz/engine/attributes";
import { createEngine } from "#authz/engine/create-engine";
import type { MtlsMode, PeerAuthenticationRule } from "#policy-compiler/ruleset/model";
import { assemble, emptyRuleSet } from "#test/support/generate/rule-sets";

const app: Workload = {
  namespace: "foo",
  name: undefined,
  labels: new Map([["app", "web"]]),
  kind: "sidecar",
  gateway: undefined,
  service: undefined,
};

function rule(
  namespace: string,
  labels: Record<string, string>,
  mode: MtlsMode,
  ports: Record<number, MtlsMode> = {},
): PeerAuthenticationRule {
  return {
    namespace,
    name: "p",
    labels: Object.entries(labels),
    mode,
    ports: Object.entries(ports).map(([port, its]) => [Number(port), its]),
    origin: { file: "p.yaml", line: 1, column: 1 },
  };
}

const web = { app: "web" };
const cases: readonly [
  name: string,
  rules: readonly PeerAuthenticationRule[],
  at8080: string,
  at9090?: string | undefined,
  workload?: Workload,
][] = [
  ["nothing said", [], "PERMISSIVE"],
  ["mesh", [rule("root", {}, "STRICT")], "STRICT"],
  ["another namespace", [rule("bar", {}, "STRICT")], "PERMISSIVE"],
  ["namespace over mesh", [rule("root", {}, "STRICT"), rule("foo", {}, "DISABLE")], "DISABLE"],
  ["namespace says nothing", [rule("root", {}, "STRICT"), rule("foo", {}, "UNSET")], "STRICT"],
  ["workload over namespace", [rule("foo", {}, "DISABLE"), rule("foo", web, "STRICT")], "STRICT"],
  ["workload says nothing", [rule("foo", {}, "STRICT"), rule("foo", web, "UNSET")], "STRICT"],
  ["other labels", [rule("foo", { app: "db" }, "STRICT")], "PERMISSIVE"],
  ["labels in the root namespace are for nobody", [rule("root", web, "STRICT")], "PERMISSIVE"],
  ["nor for workloads there", [rule("root", web, "STRICT")], "PERMISSIVE", undefined, { ...app, namespace: "root" }],
  ["the oldest of a level wins", [rule("foo", {}, "DISABLE"), rule("foo", {}, "STRICT")], "DISABLE"],
  ["the oldest wins although it says nothing", [rule("foo", {}, "UNSET"), rule("foo", {}, "STRICT")], "PERMISSIVE"],
  ["a port", [rule("foo", web, "PERMISSIVE", { 8080: "STRICT" })], "STRICT", "PERMISSIVE"],
  ["a port that says nothing", [rule("foo", web, "STRICT", { 8080: "UNSET", 9090: "DISABLE" })], "STRICT", "DISABLE"],
  [
    "ports of a younger policy do not count",
    [rule("foo", web, "STRICT"), rule("foo", web, "STRICT", { 8080: "DISABLE" })],
    "STRICT",
  ],
  ["gateways have their own TLS", [rule("root", {}, "STRICT")], "PERMISSIVE", undefined, { ...app, kind: "gateway" }],
];

for (const [name, peerAuthentications, at8080, at9090 = at8080, workload = app] of cases) {
  test(`mutual TLS: ${name}`, () => {
    const engine = createEngine(assemble([], { ...emptyRuleSet, peerAuthentications }), "digest");
    const view = engine.view(workload);
    assert.deepEqual([view.mtlsMode(8080), view.mtlsMode(9090)], [at8080, at9090]);
  });
}

test("mutual TLS: the rule that set a port's mode is told", () => {
  const named = (name: string, one: PeerAuthenticationRule): PeerAuthenticationRule => ({ ...one, name });
  const rulesAt = (rules: readonly PeerAuthenticationRule[], workload = app) => {
    const view = createEngine(assemble([], { ...emptyRuleSet, peerAuthentications: rules }), "digest").view(workload);
    return [8080, 9090, 7070].map((port) => view.mtlsRule(port)?.name);
  };
  const mesh = named("mesh", rule("root", {}, "STRICT"));
  const namespace = named("namespace", rule("foo", {}, "UNSET"));
  const own = named("own", rule("foo", web, "UNSET", { 8080: "STRICT", 9090: "UNSET" }));
  assert.deepEqual(rulesAt([]), [undefined, undefined, undefined]);
  assert.deepEqual(rulesAt([mesh, namespace, own]), ["own", "mesh", "mesh"]);
  assert.deepEqual(rulesAt([{ ...namespace, mode: "STRICT" }, mesh]), ["namespace", "namespace", "namespace"]);
  assert.deepEqual(rulesAt([{ ...own, mode: "PERMISSIVE" }, mesh]), ["own", "own", "own"]);
  assert.deepEqual(rulesAt([mesh], { ...app, kind: "gateway" }), [undefined, undefined, undefined]);
});
