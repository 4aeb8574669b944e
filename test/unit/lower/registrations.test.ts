import assert from "node:assert/strict";
import { test } from "node:test";
import type { WorkloadRegistration } from "#policy-compiler/ruleset/model";
import { lowered } from "#test/support/lowered";

const yaml = (name: string, spec: string, namespace = "foo") =>
  `apiVersion: garita.dev/v1alpha1\nkind: WorkloadRegistration\nmetadata: {name: ${name}, namespace: ${namespace}}\nspec: {${spec}}\n`;

const nginx: WorkloadRegistration = {
  namespace: "foo",
  name: "p",
  spiffeId: [{ kind: "text", text: "spiffe://td/ns/web/sa/nginx" }],
  callers: [{ kind: "joinToken" }],
  dnsNames: [],
  keyKinds: [],
  ttlSeconds: undefined,
  maxTtlSeconds: undefined,
  origin: { file: "p.yaml", line: 1, column: 1 },
};
const id = "spiffeId: spiffe://td/ns/web/sa/nginx";
const joined = "callers: [{joinToken: {}}]";

const table: readonly (readonly [spec: string, differs: Partial<WorkloadRegistration>])[] = [
  [`${id}, ${joined}`, {}],
  [
    `${id}, callers: [{spiffeId: "spiffe://td/a"}, {jwt: {issuer: i}}, {jwt: {issuer: j, claims: {sub: a, "[a][b]": [c, d]}}}]`,
    {
      callers: [
        { kind: "spiffeId", id: "spiffe://td/a" },
        { kind: "jwt", issuer: "i", claims: [] },
        {
          kind: "jwt",
          issuer: "j",
          claims: [
            { path: ["sub"], values: ["a"] },
            { path: ["a", "b"], values: ["c", "d"] },
          ],
        },
      ],
    },
  ],
  [
    'spiffeId: "spiffe://td/ns/{[a][b]}/sa/x-{sub}-y", callers: [{jwt: {issuer: i}}]',
    {
      spiffeId: [
        { kind: "text", text: "spiffe://td/ns/" },
        { kind: "claim", path: ["a", "b"] },
        { kind: "text", text: "/sa/x-" },
        { kind: "claim", path: ["sub"] },
        { kind: "text", text: "-y" },
      ],
      callers: [{ kind: "jwt", issuer: "i", claims: [] }],
    },
  ],
  [`${id}, ${joined}, dnsNames: [b.example, a]`, { dnsNames: ["b.example", "a"] }],
  [`${id}, ${joined}, keyKinds: [RSA-2048, P-256]`, { keyKinds: ["P-256", "RSA-2048"] }],
  [`${id}, ${joined}, ttl: {default: 1h30m, max: 2160h}`, { ttlSeconds: 5400, maxTtlSeconds: 7_776_000 }],
  [`${id}, ${joined}, ttl: {max: 90s}`, { maxTtlSeconds: 90 }],
];

for (const [spec, differs] of table) {
  test(`a registration means what it says: ${spec}`, () => {
    const { ruleSet, findings } = lowered({ "p.yaml": yaml("p", spec) });
    assert.deepEqual(findings, []);
    assert.deepEqual(ruleSet.registrations, [{ ...nginx, ...differs }]);
  });
}

test("registrations stand in the order of their names, whatever that of the files", () => {
  const one = (name: string, namespace: string) => yaml(name, `${id}, ${joined}`, namespace);
  const { ruleSet } = lowered({ "a.yaml": one("a", "z"), "b.yaml": one("b", "a"), "c.yaml": one("a", "a-b") });
  assert.deepEqual(
    ruleSet.registrations.map(({ namespace, name }) => `${namespace}/${name}`),
    ["a-b/a", "a/b", "z/a"],
  );
});

/** What validation refuses, and what would be wider without it. */
const meaningless = [
  joined,
  `spiffeId: nginx, ${joined}`,
  `spiffeId: "spiffe://td/{sub", ${joined}`,
  `spiffeId: "spiffe://td/{sub}", ${joined}`,
  id,
  `${id}, callers: [{}, {joinToken: {}}]`,
  `${id}, callers: [{joinToken: {}, spiffeId: a}]`,
  `${id}, callers: [{jwt: {}}]`,
  `${id}, callers: [{jwt: {issuer: i, claims: {}}}]`,
  `${id}, callers: [{jwt: {issuer: i, claims: {"a[": b}}}]`,
  `${id}, callers: [{jwt: {issuer: i, claims: {a: []}}}]`,
  `${id}, ${joined}, keyKinds: []`,
  `${id}, ${joined}, keyKinds: [P-256, P-521]`,
  `${id}, ${joined}, ttl: {max: soon}`,
  `${id}, ${joined}, ttl: {default: -1h}`,
];

for (const spec of meaningless) {
  test(`a registration without a meaning gives nobody anything, and is an error: ${spec}`, () => {
    const { ruleSet, findings } = lowered({ "p.yaml": yaml("p", spec) });
    assert.deepEqual(ruleSet.registrations, []);
    assert.deepEqual(
      findings.map(({ code }) => code),
      ["lowering/value-not-compiled"],
    );
  });
}
