import assert from "node:assert/strict";
import { test } from "node:test";
import { expandTrustDomain, migratePrincipal } from "#policy-compiler/lower/migrate-trust-domain";
import { lowered, policyYaml } from "#test/support/lowered";

const b = "/ns/foo/sa/bar";

/** The mesh's trust domains, a principal, what it becomes; `!` marks a foreign trust domain. */
const principals: readonly (readonly [domains: string, principal: string, migrated: readonly string[]])[] = [
  ["td1", `td1${b}`, [`td1${b}`]],
  ["td2 td1", `td1${b}`, [`td2${b}`, `td1${b}`]],
  ["td2 td1", `td2${b}`, [`td2${b}`, `td1${b}`]],
  ["td2 td1 td1", `td1${b}`, [`td2${b}`, `td1${b}`]],
  ["td1", `cluster.local${b}`, [`td1${b}`]],
  ["td1 cluster.local", `cluster.local${b}`, [`td1${b}`, `cluster.local${b}`]],
  ["td1 td2", `other${b}`, [`other${b}`, "!other"]],
  ["td1 td2", `*${b}`, [`*${b}`]],
  ["td1 td2", `*-td${b}`, [`*-td${b}`, "!*-td"]],
  ["new-td old-td td3", `*-td${b}`, [`*-td${b}`, `td3${b}`]],
  ["td1 td2 x", `td*${b}`, [`td1${b}`, `td2${b}`, `x${b}`]],
  ["td1 td-a*", `td-abc${b}`, [`td1${b}`, `td-a*${b}`]],
  ["td1 *", `other${b}`, [`td1${b}`, `*${b}`]],
  ["td1", "cluster.local/ns/a/*", ["cluster.local/ns/a/*"]],
  ["td1", "spiffe://td1/ns/a/sa/b", ["spiffe://td1/ns/a/sa/b"]],
  ["td1", "sa/bar", ["sa/bar"]],
  ["td1", "*", ["*"]],
  ["td1", "a/b/c/d/e/f", ["a/b/c/d/e/f"]],
  ["td1", b, [b, "!"]],
];

test("principals are written in every trust domain of the mesh", () => {
  for (const [domains, principal, expected] of principals) {
    const { values, foreign } = migratePrincipal(principal, domains.split(" "));
    const found = [...values, ...(foreign === undefined ? [] : [`!${foreign}`])];
    assert.deepEqual(found, expected, `${principal} in ${domains}`);
  }
});

test("trust domains expand only when they are exactly one of the mesh's", () => {
  assert.deepEqual(expandTrustDomain("td1", ["td2", "td1", "td2"]), ["td2", "td1"]);
  assert.deepEqual(expandTrustDomain("cluster.local", ["td1"]), ["cluster.local"]);
  assert.deepEqual(expandTrustDomain("td*", ["td1", "td2"]), ["td*"]);
});

const mesh = "trustDomain: td1\ntrustDomainAliases: [td2]\n";

function valuesOf(spec: string) {
  const { ruleSet, findings } = lowered({ "mesh.yaml": mesh, "p.yaml": policyYaml(spec) });
  const body = ruleSet.rules[0]?.http;
  const [field] = [...(body?.from.flat() ?? []), ...(body?.when ?? [])];
  return { field, findings };
}

test("sources and conditions migrate principals and trust domains, and keep what was written", () => {
  const principalValues = ["td1", "td2"].map((domain) => ({
    kind: "principal",
    test: { op: "exact", text: `spiffe://${domain}${b}` },
  }));
  const domainValues = ["td1", "td2"].map((text) => ({ kind: "trustDomain", op: "exact", text }));
  for (const [spec, values, texts] of [
    [`{from: [{source: {principals: [cluster.local${b}]}}]}`, principalValues, [`cluster.local${b}`]],
    [`{when: [{key: source.principal, values: [td2${b}]}]}`, principalValues, [`td2${b}`]],
    ["{from: [{source: {trustDomains: [td2]}}]}", domainValues, ["td2"]],
    ["{when: [{key: source.trustDomain, values: [td1]}]}", domainValues, ["td1"]],
  ] as const) {
    const { field, findings } = valuesOf(`{rules: [${spec}]}`);
    assert.deepEqual(field?.values, values, spec);
    assert.deepEqual(field?.texts, texts, spec);
    assert.deepEqual(findings, []);
  }
});

test("values that expand to the same tests are tested once", () => {
  const { field } = valuesOf(`{rules: [{from: [{source: {principals: [td1${b}, td2${b}, cluster.local${b}]}}]}]}`);
  assert.equal(field?.values.length, 2);
});

test("a principal of a foreign trust domain is kept with a note", () => {
  const { field, findings } = valuesOf(`{rules: [{from: [{source: {notPrincipals: [other${b}]}}]}]}`);
  assert.deepEqual(field?.notValues, [{ kind: "principal", test: { op: "exact", text: `spiffe://other${b}` } }]);
  assert.deepEqual(
    findings.map(({ code, message }) => [code, message]),
    [
      [
        "lowering/foreign-trust-domain",
        "`other` of the principal `other/ns/foo/sa/bar` is no trust domain of the mesh nor one of its aliases",
      ],
    ],
  );
});

test("namespaces, service accounts and request principals are not migrated", () => {
  const { field } = valuesOf("{rules: [{from: [{source: {requestPrincipals: [cluster.local/ns/foo/sa/bar]}}]}]}");
  assert.deepEqual(field?.values, [
    {
      kind: "requestPrincipal",
      iss: { op: "exact", text: "cluster.local/ns/foo/sa" },
      sub: { op: "exact", text: "bar" },
    },
  ]);
});
