import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import { compile } from "#policy-compiler/compile";
import { encodeRuleSet, ruleSetDigest } from "#policy-compiler/ruleset/codec";
import { diagnosticCodes } from "#policy-compiler/source/codes";
import { mutated, yamlishText } from "./yaml/yaml-texts.ts";

const seed = Number(process.env["FC_SEED"] ?? Math.floor(Math.random() * 2 ** 31));

const policies = `apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: a, namespace: ns, annotations: {istio.io/dry-run: "true"}}
spec:
  selector: {matchLabels: {app: web}}
  action: DENY
  rules:
  - from:
    - source: {notPrincipals: ["cluster.local/ns/a/sa/b"], remoteIpBlocks: [10.0.0.0/8]}
    to:
    - operation: {methods: [GET], paths: ["/a/{*}"], ports: ["80"]}
    when:
    - key: request.headers[x-a]
      values: ["b*"]
---
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {name: a, namespace: ns}
spec:
  selector: {matchLabels: {app: web}}
  mtls: {mode: STRICT}
  portLevelMtls:
    8080: {mode: DISABLE}
---
apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: {name: a}
spec:
  jwtRules:
  - issuer: https://i
    jwksUri: https://i/keys
    fromHeaders: [{name: x-t, prefix: "t "}]
---
apiVersion: garita.dev/v1alpha1
kind: AuthorizationPolicy
metadata: {name: a, namespace: ns}
spec:
  action: DENY
  rules:
  - cel:
    - |
      request.method == "GET" &&
        has(claims.sub)
    - "request.path == "\\u002fa""
    denyResponse:
      status: 401
      headers: {x-a: b, x-b: {cel: string(claims.sub)}}
      body: {cel: "'no ' + request.path"}
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: a}
spec: {hosts: [a.b], ports: [{number: 80, name: http, protocol: HTTP}], endpoints: [{address: 10.0.0.1}]}
---
apiVersion: garita.dev/v1alpha1
kind: WorkloadRegistration
metadata: {name: a}
spec:
  spiffeId: spiffe://td/ns/web/sa/nginx
  callers:
  - jwt: {issuer: https://i, claims: {sub: a, "[a][b]": [c, d]}}
  - joinToken: {}
  - spiffeId: spiffe://td/ns/web/sa/old
  dnsNames: [web.example]
  keyKinds: [P-256]
  ttl: {default: 1h, max: 24h}
---
apiVersion: garita.dev/v1alpha1
kind: WorkloadRegistration
metadata: {name: all}
spec: {spiffeId: "spiffe://td/ns/{[a][b]}/sa/x-{sub}", callers: [{jwt: {issuer: https://i}}]}
`;
const mesh = "trustDomain: td\nextensionProviders:\n- name: a\n  envoyExtAuthzGrpc: {service: a.b, port: 80}\n";

test(`compiling never throws, places every diagnostic in its file, and refuses with a reason (seed ${seed})`, () => {
  const encoder = new TextEncoder();
  const text = fc.oneof(mutated(fc.constant(policies)), yamlishText);
  const bytes = fc.oneof(
    { weight: 4, arbitrary: text.map((each) => encoder.encode(each)) },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 100 }) },
  );
  fc.assert(
    fc.property(bytes, mutated(fc.constant(mesh)), fc.boolean(), (file, meshText, istioLax) => {
      const files = [
        { path: "a.yaml", bytes: file },
        { path: "mesh.yaml", bytes: encoder.encode(meshText) },
      ];
      const { ruleSet, diagnostics } = compile(files, { istioLax });
      const isRefused = diagnostics.some(({ severity }) => severity === "error");
      assert.equal(ruleSet === undefined, isRefused);
      for (const { code, file: path, start, end, message } of diagnostics) {
        assert.ok(Object.hasOwn(diagnosticCodes, code));
        assert.ok((code === "folder/no-policies" ? ["."] : ["a.yaml", "mesh.yaml"]).includes(path));
        assert.ok(start.line < end.line || (start.line === end.line && start.column <= end.column));
        assert.doesNotMatch(message, /\n/);
      }
      assert.deepEqual(compile(files.toReversed(), { istioLax }).diagnostics, diagnostics);
    }),
    { seed, numRuns: 1_000 },
  );
});

const registration = (dnsName: string) => `apiVersion: garita.dev/v1alpha1
kind: WorkloadRegistration
metadata: {name: a}
spec: {spiffeId: spiffe://td/a, callers: [{joinToken: {}}], dnsNames: [${dnsName}]}
`;

test("a folder of registrations alone compiles without a word, and its digest covers them", () => {
  const compiled = (dnsName: string) =>
    compile(
      [
        ["mesh.yaml", "trustDomain: td\n"],
        ["r.yaml", registration(dnsName)],
      ].map(([path = "", text = ""]) => ({ path, bytes: new TextEncoder().encode(text) })),
    );
  const digestOf = (dnsName: string) => {
    const { ruleSet, diagnostics } = compiled(dnsName);
    assert.deepEqual(diagnostics, []);
    assert.equal(ruleSet?.registrations.length, 1);
    return ruleSetDigest(encodeRuleSet(ruleSet), (bytes) => createHash("sha256").update(bytes).digest());
  };
  assert.equal(digestOf("web"), digestOf("web"));
  assert.notEqual(digestOf("web"), digestOf("wed"));
});
