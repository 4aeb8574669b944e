import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { defaultChanges } from "#cli/diff/default-changes";
import { compileFiles, engineOf } from "#cli/policies/compile-folder";
import { ask } from "#cli/request/ask";
import { checkMessage } from "#cli/request/check-message";
import type { RequestDescription } from "#cli/request/description";
import { localEnvironment } from "#cli/request/local-environment";
import { compareDocuments, type DocumentChange } from "#policy-compiler/compare/compare-documents";
import type { SourceFile } from "#policy-compiler/compile";
import { decodeDocuments } from "#policy-compiler/document/decode-documents";
import type { RegisteredWorkload } from "#policy-compiler/ruleset/model";
import { testSeed } from "#test/support/random";

const seed = testSeed("policy states");

const rules = [
  { to: [{ operation: { paths: ["/a"] } }] },
  { to: [{ operation: { paths: ["/a*"] } }] },
  { to: [{ operation: { paths: ["/b", "/a"], methods: ["GET"] } }] },
  { from: [{ source: { principals: ["cluster.local/ns/x/sa/y"] } }] },
  { from: [{ source: { principals: ["cluster.local/ns/x/*"] } }], to: [{ operation: { ports: ["80"] } }] },
  { to: [{ operation: { ports: ["80"] } }] },
  {},
];
const labelSets = [{ app: "cart" }, { app: "till" }, { app: "cart", tier: "web" }];
const namespaces = ["shop", "till", "istio-system"];

const policies = fc.record({
  apiVersion: fc.constantFrom("security.istio.io/v1", "security.istio.io/v1beta1"),
  kind: fc.constant("AuthorizationPolicy"),
  metadata: fc.record({
    name: fc.constantFrom("p", "q"),
    namespace: fc.constantFrom(...namespaces),
    annotations: fc.oneof({ weight: 5, arbitrary: fc.constant({}) }, fc.constant({ "istio.io/dry-run": "true" })),
  }),
  spec: fc
    .record(
      {
        action: fc.constantFrom("ALLOW", "ALLOW", "DENY", "AUDIT"),
        rules: fc.subarray(rules, { maxLength: 3 }),
        selector: fc.constantFrom(...labelSets).map((matchLabels) => ({ matchLabels })),
      },
      { requiredKeys: ["action", "rules"] },
    )
    .filter((spec) => spec.action !== "DENY" || spec.rules.length > 0),
});
const policy = policies.filter(
  ({ spec, metadata }) => spec.action !== "AUDIT" || Object.keys(metadata.annotations).length === 0,
);
const mutualTls = fc.record({
  apiVersion: fc.constant("security.istio.io/v1"),
  kind: fc.constant("PeerAuthentication"),
  metadata: fc.record({ name: fc.constant("tls"), namespace: fc.constantFrom(...namespaces) }),
  spec: fc.constantFrom("STRICT", "PERMISSIVE", "UNSET", "DISABLE").map((mode) => ({ mtls: { mode } })),
});
const workload = fc.record({
  apiVersion: fc.constant("networking.istio.io/v1"),
  kind: fc.constant("WorkloadEntry"),
  metadata: fc.record({ name: fc.constantFrom("one", "two"), namespace: fc.constantFrom("shop", "till") }),
  spec: fc.constantFrom(...labelSets).map((labels) => ({ address: "10.0.0.1", labels })),
});

interface Document {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace: string };
}

const document: fc.Arbitrary<Document> = fc.oneof(
  { weight: 4, arbitrary: policy },
  { weight: 2, arbitrary: workload },
  { weight: 1, arbitrary: mutualTls },
);
const keyOf = ({ kind, metadata }: Document) => `${kind}/${metadata.namespace}/${metadata.name}`;

/** A folder and what an edit made of it: one document or two are other ones, or gone. */
const pair = fc
  .tuple(
    fc.uniqueArray(document, { selector: keyOf, minLength: 1, maxLength: 6 }),
    fc.array(document, { maxLength: 2 }),
    fc.boolean(),
  )
  .map(([before, edits, drop]) => {
    const edited = new Map(before.slice(drop ? 1 : 0).map((each) => [keyOf(each), each]));
    for (const each of edits) edited.set(keyOf(each), each);
    return [before, [...edited.values()].toReversed()] as const;
  });

function filesOf(documents: readonly Document[]): SourceFile[] {
  return documents.map((each, i) => ({ path: `${i}.json`, bytes: new TextEncoder().encode(JSON.stringify(each)) }));
}

const callers = [{}, { principal: "cluster.local/ns/x/sa/y" }, { principal: "cluster.local/ns/x/sa/z" }];
const requests: readonly RequestDescription[] = ["shop", "till"].flatMap((namespace) =>
  [...labelSets, {}].flatMap((labels) =>
    callers.flatMap((caller) => [
      { workload: { namespace, labels, port: 80 }, caller, tcp: true },
      { workload: { namespace, labels }, caller, tcp: true },
      ...["/a", "/ab", "/b", "/c"].map((path) => ({ workload: { namespace, labels }, caller, request: { path } })),
    ]),
  ),
);

/** The state as the command reads it, and who is allowed what by the linear walk. */
async function stateOf(documents: readonly Document[]) {
  const files = filesOf(documents);
  const { built, diagnostics } = compileFiles("", files, { istioLax: false });
  assert.ok(built, JSON.stringify(diagnostics));
  const environment = await localEnvironment(engineOf(built, { index: false }), () => 0);
  const decide = async (request: RequestDescription) => {
    const asked = await ask(checkMessage(request), environment);
    assert.ok(asked.ok);
    const { outcome, reason } = asked.verdict.decision;
    return { outcome, reason };
  };
  return { decoded: decodeDocuments(files, {}), ruleSet: built.ruleSet, decide };
}

type Direction = "opens" | "closes" | "none" | "unclear";

/** What the report says of access; `unclear` where it says nothing. */
function directionsOf(change: DocumentChange): readonly Direction[] {
  if (change.kind === "moved") return [];
  const { kind } = change.document;
  if (kind === "WorkloadEntry") return [];
  const said = [...change.consequences, ...change.rules.map(({ consequence }) => consequence)];
  const placed = change.fields.some(({ path }) => path.startsWith("spec.selector"));
  const silent = kind === "PeerAuthentication" && change.consequences.length === 0;
  const directions = said.map((each) => each?.direction ?? "unclear");
  return placed || silent ? ["unclear", ...directions] : directions;
}

test("what is said to open closes nothing, what is said to close opens nothing, and no difference is none", async () => {
  const seen = { opens: 0, closes: 0, none: 0 };
  await fc.assert(
    fc.asyncProperty(pair, async ([old, edited]) => {
      const [before, after] = [await stateOf(old), await stateOf(edited)];
      const changes = compareDocuments(before.decoded, after.decoded);
      const said = new Set<Direction>(changes.flatMap(directionsOf));
      const told = defaultChanges(before.ruleSet, after.ruleSet);
      for (const change of told) said.add(change.after === "deny" ? "closes" : "opens");
      if (said.has("unclear") || (said.has("opens") && said.has("closes"))) return;
      const direction = said.has("opens") ? "opens" : said.has("closes") ? "closes" : "none";
      seen[direction]++;
      for (const request of requests) {
        const [was, is] = [await before.decide(request), await after.decide(request)];
        const why = `${direction}: ${JSON.stringify({ request, was, is, changes })}`;
        if (direction !== "closes") assert.ok(!(was.outcome === "allow" && is.outcome === "deny"), why);
        if (direction !== "opens") assert.ok(!(was.outcome === "deny" && is.outcome === "allow"), why);
      }
    }),
    { seed, numRuns: 150 },
  );
  assert.ok(Math.min(...Object.values(seen)) > 5, `too few were decided: ${JSON.stringify(seen)}`);
});

/** Nobody allows it: what is decided is the default. */
const unmatched = { path: "/nowhere", method: "PUT" };

test("a default is told to have changed exactly where that of a registered workload has", async () => {
  let changed = 0;
  await fc.assert(
    fc.asyncProperty(pair, async ([old, edited]) => {
      const [before, after] = [await stateOf(old), await stateOf(edited)];
      const told = defaultChanges(before.ruleSet, after.ruleSet).filter(({ registered }) => registered);
      const known = new Map(before.ruleSet.workloads.map((each) => [`${each.namespace}/${each.name}`, each]));
      for (const now of after.ruleSet.workloads) {
        const name = `${now.namespace}/${now.name}`;
        const was = known.get(name);
        if (was === undefined) continue;
        const defaults = [await defaultOf(before, was), await defaultOf(after, now)];
        const change = told.find(({ workloads }) => workloads === name);
        if (defaults.includes(undefined)) continue;
        const expected = defaults[0] === defaults[1] ? undefined : defaults;
        if (expected !== undefined) changed++;
        assert.deepEqual(change && [change.before, change.after], expected, name);
      }
    }),
    { seed, numRuns: 150 },
  );
  assert.ok(changed > 5, `too few have changed: ${changed}`);
});

/** Undefined: something else decides. */
async function defaultOf(
  { decide }: Awaited<ReturnType<typeof stateOf>>,
  { namespace, labels }: RegisteredWorkload,
): Promise<"allow" | "deny" | undefined> {
  const { reason } = await decide({
    workload: { namespace, labels: Object.fromEntries(labels) },
    request: unmatched,
  });
  if (reason === "policy/not-allowed") return "deny";
  return reason === "policy/no-policy" ? "allow" : undefined;
}
