import assert from "node:assert/strict";
import { test } from "node:test";
import { buildRegistrations } from "#ca/registration/build-registrations";
import { keyKinds } from "#ca/x509/contract";
import { registrationEntries } from "#cli/serve/registration-entries";
import { compile } from "#policy-compiler/compile";
import { registrationKeyKinds } from "#policy-compiler/ruleset/model";

const folder = {
  "mesh.yaml": "trustDomain: td\n",
  "shop/web.yaml": `apiVersion: garita.dev/v1alpha1
kind: WorkloadRegistration
metadata: { name: web, namespace: shop }
spec:
  spiffeId: spiffe://td/ns/shop/sa/web
  callers:
    - spiffeId: spiffe://td/ns/shop/sa/web-old
    - jwt: { issuer: https://i, claims: { sub: a, "[k][n]": [b, c] } }
    - joinToken: {}
  dnsNames: [web.shop]
  keyKinds: [P-384]
  ttl: { default: 1h, max: 2h }
---
apiVersion: garita.dev/v1alpha1
kind: WorkloadRegistration
metadata: { name: all, namespace: shop }
spec:
  spiffeId: spiffe://td/ns/{[k][n]}
  callers: [{ jwt: { issuer: https://i } }]
`,
};

test("registrations of a compiled folder are entries of the authority", () => {
  const files = Object.entries(folder).map(([path, text]) => ({ path, bytes: new TextEncoder().encode(text) }));
  const { ruleSet, diagnostics } = compile(files);
  assert.deepEqual(diagnostics, []);
  const entries = registrationEntries(ruleSet!);
  assert.deepEqual(entries, [
    {
      name: "shop/all",
      source: { file: "shop/web.yaml", line: 14 },
      spiffeId: [
        { kind: "text", text: "spiffe://td/ns/" },
        { kind: "claim", path: ["k", "n"] },
      ],
      callers: [{ kind: "jwt", issuer: "https://i", claims: [] }],
      dnsNames: [],
      keyKinds: [],
      ttlSeconds: undefined,
      maxTtlSeconds: undefined,
    },
    {
      name: "shop/web",
      source: { file: "shop/web.yaml", line: 1 },
      spiffeId: [{ kind: "text", text: "spiffe://td/ns/shop/sa/web" }],
      callers: [
        { kind: "spiffe-id", id: "spiffe://td/ns/shop/sa/web-old" },
        {
          kind: "jwt",
          issuer: "https://i",
          claims: [
            { path: ["sub"], values: ["a"] },
            { path: ["k", "n"], values: ["b", "c"] },
          ],
        },
        { kind: "join-token" },
      ],
      dnsNames: ["web.shop"],
      keyKinds: ["P-384"],
      ttlSeconds: 3600,
      maxTtlSeconds: 7200,
    },
  ]);
  assert.equal(buildRegistrations(entries).ranked.length, entries.length, "the authority leaves none out");
});

test("the compiler knows the authority's kinds of keys", () => assert.deepEqual(registrationKeyKinds, keyKinds));
