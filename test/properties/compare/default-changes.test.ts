import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Workload } from "#authz/engine/attributes";
import { selectionSubject, selects } from "#authz/engine/selection";
import { defaultChanges } from "#cli/diff/default-changes";
import { compile } from "#policy-compiler/compile";
import type { RuleSet } from "#policy-compiler/ruleset/model";
import { testSeed } from "#test/support/random";

const seed = testSeed("default changes");
const rootNamespace = "istio-system";
const namespaces = ["shop", "till", rootNamespace];
const targets = [
  { group: "gateway.networking.k8s.io", kind: "Gateway", name: "front" },
  { group: "networking.istio.io", kind: "ServiceEntry", name: "out" },
  { group: "", kind: "Service", name: "cart" },
];
const labels = fc.dictionary(fc.constantFrom("app", "tier"), fc.constantFrom("a", "b"), { noNullPrototype: true });
const isEmpty = (one: object) => Object.keys(one).length === 0;

const policy = fc.record({
  apiVersion: fc.constant("security.istio.io/v1"),
  kind: fc.constant("AuthorizationPolicy"),
  metadata: fc.record({ name: fc.constantFrom("p", "q", "r"), namespace: fc.constantFrom(...namespaces) }),
  spec: fc.record({
    action: fc.constantFrom("ALLOW", "ALLOW", "DENY"),
    rules: fc.constant([{}]),
    place: fc.oneof(
      labels.map((matchLabels) => (isEmpty(matchLabels) ? {} : { selector: { matchLabels } })),
      fc.constantFrom(...targets).map((target) => ({ targetRefs: [target] })),
    ),
  }),
});
const workload = fc.record({
  apiVersion: fc.constant("networking.istio.io/v1"),
  kind: fc.constant("WorkloadEntry"),
  metadata: fc.record({ name: fc.constantFrom("one", "two", "three"), namespace: fc.constantFrom("shop", "till") }),
  spec: labels.map((own) => ({ address: "10.0.0.1", labels: own })),
});
type Document = { kind: string; metadata: { name: string; namespace: string }; spec: object };
const document: fc.Arbitrary<Document> = fc.oneof(
  policy.map(({ spec: { place, ...spec }, ...rest }) => ({ ...rest, spec: { ...spec, ...place } })),
  workload,
);
const state = fc
  .uniqueArray(document, { selector: ({ kind, metadata }) => JSON.stringify([kind, metadata]), maxLength: 9 })
  .map((documents) => {
    const bytes = (each: Document) => new TextEncoder().encode(JSON.stringify(each));
    const { ruleSet, diagnostics } = compile(documents.map((each, i) => ({ path: `${i}.json`, bytes: bytes(each) })));
    assert.ok(ruleSet, JSON.stringify(diagnostics));
    return ruleSet;
  });

/** The names of those that select it, each asked. */
function allowing({ policies, mesh }: RuleSet, asked: Workload): readonly string[] {
  const subject = selectionSubject(mesh, asked);
  return policies
    .filter(({ stage, attachment, namespace }) => stage === "allow" && selects(attachment, namespace, subject))
    .map(({ namespace, name }) => `${namespace}/${name}`);
}

const sidecar = { name: undefined, kind: "sidecar", gateway: undefined, service: undefined } as const;

/** Every workload that a policy means, by the name that it is told under. */
function meantBy({ policies }: RuleSet): readonly (readonly [string, Workload])[] {
  return policies
    .filter(({ stage }) => stage === "allow")
    .flatMap(({ attachment, namespace }): (readonly [string, Workload])[] => {
      if (attachment.kind === "selector") {
        const where = namespace === rootNamespace ? "any namespace" : `namespace ${namespace}`;
        const by = attachment.labels.map(([key, value]) => `${key}=${value}`).join(" ");
        const place = namespace === rootNamespace ? "*" : namespace;
        const name = `workloads of ${where}${by === "" ? "" : ` with ${by}`}`;
        return [[name, { ...sidecar, namespace: place, labels: new Map(attachment.labels) }]];
      }
      const bare = { name: undefined, namespace, labels: new Map<string, string>() };
      return attachment.refs.map(({ kind, name }) =>
        kind === "Gateway"
          ? [`gateway ${namespace}/${name}`, { ...bare, kind: "k8s-gateway", gateway: name, service: undefined }]
          : [
              `waypoint of ${kind} ${namespace}/${name}`,
              { ...bare, kind: "waypoint", gateway: undefined, service: { namespace, name, kind: kind as "Service" } },
            ],
      );
    });
}

/** What changed of one workload, without any looking up. */
function changeOf(before: RuleSet, after: RuleSet, name: string, was: Workload, is: Workload) {
  const [old, now] = [allowing(before, was), allowing(after, is)];
  if ((old.length === 0) === (now.length === 0)) return [];
  const closes = old.length === 0;
  return [{ name, closes, workload: closes ? is : was, policies: closes ? now : old }];
}

function plainChanges(before: RuleSet, after: RuleSet) {
  const registered = after.workloads.flatMap((now) => {
    const old = before.workloads.find(({ namespace, name }) => namespace === now.namespace && name === now.name);
    const [was, is] = [old, now].map(
      (one) => one && { ...sidecar, namespace: one.namespace, labels: new Map(one.labels) },
    );
    return was === undefined ? [] : changeOf(before, after, `${now.namespace}/${now.name}`, was, is!);
  });
  const meant = [...new Map([before, after].flatMap(meantBy))]
    .flatMap(([name, each]) => changeOf(before, after, name, each, each))
    .filter(({ workload: each, closes }) => {
      const isOneOf = (one: Workload) =>
        each.kind === "sidecar" &&
        (each.namespace === "*" || each.namespace === one.namespace) &&
        [...each.labels].every(([key, value]) => one.labels.get(key) === value);
      return !registered.some((one) => one.closes === closes && isOneOf(one.workload));
    });
  return [...registered, ...meant].map(({ name, closes, policies }) => [name, closes, policies.toSorted()]);
}

test("defaults that are looked up by label are those that are asked of every policy and every workload", () => {
  const seen = new Set<string>();
  fc.assert(
    fc.property(state, state, (before, after) => {
      const told = defaultChanges(before, after);
      for (const { workloads } of told) seen.add(workloads.split(" ")[0]!.replace(/.*\/.*/, "registered"));
      assert.deepEqual(
        told.map(({ workloads, after: is, policies }) => [workloads, is === "deny", policies.toSorted()]),
        plainChanges(before, after),
      );
    }),
    { seed, numRuns: 1_500 },
  );
  assert.deepEqual([...seen].toSorted(), ["gateway", "registered", "waypoint", "workloads"]);
});
