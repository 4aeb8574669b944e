import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { compileFiles, engineOf } from "#cli/policies/compile-folder";
import { ask } from "#cli/request/ask";
import { checkMessage } from "#cli/request/check-message";
import type { RequestDescription } from "#cli/request/description";
import { localEnvironment } from "#cli/request/local-environment";
import { compareDocuments } from "#policy-compiler/compare/compare-documents";
import type { SourceFile } from "#policy-compiler/compile";
import { decodeDocuments } from "#policy-compiler/document/decode-documents";
import { testSeed } from "#test/support/random";

const seed = testSeed("rule width");

const some = (...values: readonly string[]) => fc.subarray([...values], { minLength: 1, maxLength: 2 });
/** One or two fields: the more a rule asks for, the more rarely it matches, and the more rarely two of them are comparable. */
const fields = (record: Record<string, fc.Arbitrary<readonly string[]>>) =>
  fc
    .subarray(Object.keys(record), { minLength: 1, maxLength: 2 })
    .chain((names) => fc.record(Object.fromEntries(names.map((name) => [name, record[name]!]))));

const paths = some("/a", "/a*", "/a/b", "*/a", "*/b", "*", "/{*}", "/a/{**}");
const identity = {
  principals: some("m/ns/x/sa/y", "old/ns/x/sa/y", "cluster.local/ns/x/sa/y", "m/ns/x/sa/*", "m/ns/*", "*/y", "*"),
  notPrincipals: some("m/ns/x/sa/y", "m/ns/z*", "old/ns/z/sa/*"),
};
const source = fields({
  ...identity,
  namespaces: some("x", "*", "z"),
  ipBlocks: some("10.0.0.0/8", "10.1.0.0/16", "10.1.2.3", "::/0"),
  notIpBlocks: some("10.1.0.0/16", "10.1.2.3"),
});
const operation = fields({
  ports: some("8080", "80"),
  notPorts: some("80", "81"),
  hosts: some("a.example", "A.Example", "*.example", "*"),
  methods: some("GET", "POST", "G*", "*"),
  paths,
  notPaths: paths,
});
const when = fc.record({ key: fc.constant("request.headers[x]"), values: some("v", "v*", "*", "*w") });
const rule = fc.record({
  from: fc.array(
    source.map((each) => ({ source: each })),
    { maxLength: 2 },
  ),
  to: fc.array(
    operation.map((each) => ({ operation: each })),
    { maxLength: 2 },
  ),
  when: fc.array(when, { maxLength: 1 }),
});

/** Two rules that differ a little: what is compared is rarely undecided then. */
const alike = fc
  .tuple(rule, rule, fc.constantFrom("from", "to", "when"), fc.boolean())
  .map(
    ([one, other, key, more]) => [one, { ...one, [key]: more ? [...one[key], ...other[key]] : other[key] }] as const,
  );

const ofIdentity = fields(identity).map((each) => ({ from: [{ source: each }] }));
const pair = fc.oneof({ weight: 4, arbitrary: alike }, fc.tuple(ofIdentity, ofIdentity));

const workload = { namespace: "shop", labels: {} };
const callers = [
  { address: "10.1.2.3" },
  { principal: "m/ns/x/sa/y", address: "10.1.2.3" },
  { principal: "old/ns/x/sa/y", address: "10.1.2.3" },
  { principal: "m/ns/z/sa/y", address: "10.1.9.9" },
  { principal: "old/ns/z/sa/q", address: "10.9.0.1" },
  { principal: "m/ns/x/sa/q", address: "192.0.2.1" },
];
const headers = [[], ["x: v"], ["x: vw"]];
const requests: readonly RequestDescription[] = callers.flatMap((caller) => [
  ...[80, 8080].map((port) => ({ workload: { ...workload, port }, caller, tcp: true })),
  ...["/a", "/a/b", "/ab", "/c/a", "/c/b"].flatMap((path) =>
    ["GET", "POST"].flatMap((method) =>
      headers.map((lines) => ({ workload, caller, request: { path, method, host: "a.example", headers: lines } })),
    ),
  ),
]);

const meshes = [
  {},
  { trustDomain: "m" },
  { trustDomain: "m", trustDomainAliases: ["old"] },
  { trustDomain: "old", trustDomainAliases: ["m"] },
];

function filesOf(rules: readonly unknown[], action: string, mesh: object): SourceFile[] {
  const document = {
    apiVersion: "security.istio.io/v1",
    kind: "AuthorizationPolicy",
    metadata: { name: "p", namespace: "shop" },
    spec: { action, rules },
  };
  const file = (path: string, content: object) => ({ path, bytes: new TextEncoder().encode(JSON.stringify(content)) });
  return [file("mesh.yaml", mesh), file("p.json", document)];
}

/** The positions of the requests that the policy's rule decides. */
async function matched(files: readonly SourceFile[]): Promise<ReadonlySet<number>> {
  const { built, diagnostics } = compileFiles("", files, { istioLax: false });
  assert.ok(built, JSON.stringify(diagnostics));
  const environment = await localEnvironment(engineOf(built, { index: true }), () => 0);
  const hits = new Set<number>();
  for (const [i, request] of requests.entries()) {
    const asked = await ask(checkMessage(request), environment);
    assert.ok(asked.ok);
    if (asked.verdict.decision.rule !== undefined) hits.add(i);
  }
  return hits;
}

function isWithin(some: ReadonlySet<number>, others: ReadonlySet<number>): boolean {
  return [...some].every((each) => others.has(each));
}

test("a rule that is called wider decides whatever it did; one that is called narrower, nothing else", async () => {
  const seen = { wider: 0, narrower: 0, same: 0 };
  await fc.assert(
    fc.asyncProperty(
      pair,
      fc.constantFrom("ALLOW", "DENY"),
      fc.constantFrom(...meshes),
      async ([one, other], action, mesh) => {
        const [before, after] = [filesOf([one], action, mesh), filesOf([other], action, mesh)];
        const changes = compareDocuments(decodeDocuments(before, {}), decodeDocuments(after, {}));
        const message = changes[0]?.rules.find(({ kind }) => kind === "changed")?.consequence?.message ?? "";
        const width = /^wider/.test(message)
          ? "wider"
          : /^narrower/.test(message)
            ? "narrower"
            : message === ""
              ? undefined
              : "same";
        if (width === undefined) return;
        seen[width]++;
        const [old, now] = [await matched(before), await matched(after)];
        if (width !== "narrower") assert.ok(isWithin(old, now), message);
        if (width !== "wider") assert.ok(isWithin(now, old), message);
      },
    ),
    { seed, numRuns: 1000 },
  );
  assert.ok(seen.wider > 5 && seen.narrower > 5, `too few were decided: ${JSON.stringify(seen)}`);
});
