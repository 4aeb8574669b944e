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
const fields = (record: Record<string, fc.Arbitrary<readonly string[]>>) =>
  fc.record(record, { requiredKeys: [] }).filter((each) => Object.keys(each).length > 0);

const paths = some("/a", "/a*", "/a/b", "*/a", "*/b", "*", "/{*}", "/a/{**}");
const source = fields({
  principals: some("m/ns/x/sa/y", "m/ns/*", "*/y", "*"),
  notPrincipals: some("m/ns/x/sa/y", "m/ns/z*"),
  namespaces: some("x", "*", "z"),
  ipBlocks: some("10.0.0.0/8", "10.1.0.0/16", "10.1.2.3", "::/0"),
  notIpBlocks: some("10.1.0.0/16", "10.1.2.3"),
});
const operation = fields({
  hosts: some("a.example", "A.Example", "*.example", "*"),
  methods: some("GET", "POST", "G*", "*"),
  paths,
  notPaths: paths,
});
const when = fc.record({ key: fc.constant("request.headers[x]"), values: some("v", "v*", "*", "*w") });
const rule = fc.record({
  from: fc.array(
    source.map((each) => ({ source: each })),
    { minLength: 1, maxLength: 2 },
  ),
  to: fc.array(
    operation.map((each) => ({ operation: each })),
    { minLength: 1, maxLength: 2 },
  ),
  when: fc.array(when, { maxLength: 1 }),
});

/** Two rules that differ a little: what is compared is rarely undecided then. */
const pair = fc
  .tuple(rule, rule, fc.subarray(["from", "to", "when"] as const, { minLength: 1, maxLength: 1 }))
  .map(([one, other, [key]]) => [one, { ...one, [key!]: other[key!] }] as const);

const requests: readonly RequestDescription[] = ["/a", "/a/b", "/ab", "/c/a", "/c/b"].flatMap((path) =>
  ["GET", "POST"].flatMap((method) =>
    [
      { address: "10.1.2.3" },
      { principal: "m/ns/x/sa/y", address: "10.1.2.3" },
      { principal: "m/ns/z/sa/y", address: "10.1.9.9" },
      { principal: "m/ns/z/sa/q", address: "10.9.0.1" },
      { principal: "m/ns/x/sa/q", address: "192.0.2.1" },
    ].flatMap((caller) =>
      [undefined, "v", "vw"].map((x) => ({
        workload: { namespace: "shop", labels: {} },
        caller,
        request: { path, method, host: "a.example", headers: x === undefined ? [] : [`x: ${x}`] },
      })),
    ),
  ),
);

function filesOf(rules: readonly unknown[], action: string): SourceFile[] {
  const document = {
    apiVersion: "security.istio.io/v1",
    kind: "AuthorizationPolicy",
    metadata: { name: "p", namespace: "shop" },
    spec: { action, rules },
  };
  return [{ path: "p.json", bytes: new TextEncoder().encode(JSON.stringify(document)) }];
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
    fc.asyncProperty(pair, fc.constantFrom("ALLOW", "DENY"), async ([one, other], action) => {
      const [before, after] = [filesOf([one], action), filesOf([other], action)];
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
    }),
    { seed, numRuns: 600 },
  );
  assert.ok(seen.wider > 5 && seen.narrower > 5, `too few were decided: ${JSON.stringify(seen)}`);
});
