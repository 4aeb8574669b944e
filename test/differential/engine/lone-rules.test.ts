import assert from "node:assert/strict";
import { test } from "node:test";
import type { RequestAttributes, Workload } from "#authz/engine/attributes";
import { createEngine } from "#authz/engine/create-engine";
import type { Attribute, FieldTest, ValueTest } from "#policy-compiler/ruleset/model";
import { fieldTest } from "#test/support/generate/fields";
import { body, policy } from "#test/support/generate/policies";
import { over, request } from "#test/support/generate/requests";
import { assemble } from "#test/support/generate/rule-sets";
import { words } from "#test/support/generate/words";
import { Random, runsFromEnvironment, testSeed } from "#test/support/random";

const app: Workload = {
  namespace: "root",
  name: undefined,
  labels: new Map(),
  kind: "sidecar",
  gateway: undefined,
  service: undefined,
};

/** A DENY rule of one field, which the index can only find by that field, asked by the index and without it. */
function bothWays(field: FieldTest, requests: Iterable<RequestAttributes>): number {
  const set = assemble([policy("p", "deny", [body([], [], [field])], { namespace: "root" })]);
  const engine = createEngine(set, "digest", { scanUpTo: 0 });
  const view = engine.view(app);
  let denied = 0;
  for (const asked of requests) {
    const linear = engine.decideLinear(view, asked).outcome;
    assert.equal(engine.decide(view, asked).outcome, linear, JSON.stringify({ field, asked }, null, 1));
    if (linear === "deny") denied++;
  }
  return denied;
}

function loneField(attribute: Attribute, values: readonly ValueTest[]): FieldTest {
  return { field: attribute.kind, attribute, values, notValues: [], texts: [], notTexts: [] };
}

test("a rule that has but one field is found by it", () => {
  const random = new Random(testSeed("lone rules"));
  const runs = runsFromEnvironment(60_000);
  let denied = 0;
  for (let i = 0; i < runs / 20; i++) {
    denied += bothWays(
      fieldTest(random).field,
      Array.from({ length: 20 }, () => request(random)),
    );
  }
  assert.ok(denied > runs / 20, String(denied));
});

test("a rule of one identity value is found by every name", () => {
  const { namespaces, accounts, trustDomains, identities } = words;
  const values: ValueTest[] = [
    ...namespaces.flatMap((a) =>
      [[a], ...namespaces.map((b) => [a, b])].map((pieces): ValueTest => ({ kind: "namespace", pieces })),
    ),
    ...namespaces.flatMap((namespace) =>
      accounts.map((name): ValueTest => ({ kind: "serviceAccount", namespace, name })),
    ),
    ...trustDomains.map((text): ValueTest => ({ kind: "trustDomain", op: "exact", text })),
    ...trustDomains.flatMap((text): ValueTest[] => [
      { kind: "trustDomain", op: "star", before: text, after: "" },
      { kind: "trustDomain", op: "star", before: "", after: text },
    ]),
  ];
  const requests = identities.map((name) => over({ peer: { names: [name], opaque: [], complete: true } }));
  for (const value of values) bothWays(loneField({ kind: "identity" }, [value]), requests);
});
