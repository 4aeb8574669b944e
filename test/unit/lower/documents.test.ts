import assert from "node:assert/strict";
import { test } from "node:test";
import { type Attachment, ruleKey } from "#policy-compiler/ruleset/model";
import { lowered, policyYaml } from "#test/support/lowered";

const selector = (...labels: readonly (readonly [string, string])[]): Attachment => ({ kind: "selector", labels });

test("a policy says which workloads it selects", () => {
  const gateway = "{group: gateway.networking.k8s.io, kind: Gateway, name: g";
  const gatewayRef = { group: "gateway.networking.k8s.io", kind: "Gateway", name: "g" };
  const table: readonly (readonly [spec: string, attachment: Attachment])[] = [
    ["{}", selector()],
    ["{selector: {}}", selector()],
    ["{selector: {matchLabels: {}}}", selector()],
    ["{selector: {matchLabels: {b: '2', a: '1'}}}", selector(["a", "1"], ["b", "2"])],
    [`{targetRefs: [${gateway}}]}`, { kind: "targetRefs", refs: [gatewayRef] }],
    [`{targetRefs: [${gateway}, namespace: foo}]}`, { kind: "targetRefs", refs: [gatewayRef] }],
    [`{targetRefs: [${gateway}, namespace: bar}]}`, { kind: "targetRefs", refs: [] }],
    [`{targetRef: ${gateway}}}`, { kind: "targetRefs", refs: [gatewayRef] }],
    [
      `{targetRef: ${gateway}}, targetRefs: [{kind: Service, name: s}]}`,
      { kind: "targetRefs", refs: [{ group: "", kind: "Service", name: "s" }] },
    ],
    [
      "{targetRefs: [{group: core, kind: Service, name: s}]}",
      { kind: "targetRefs", refs: [{ group: "", kind: "Service", name: "s" }] },
    ],
    [`{selector: {matchLabels: {a: '1'}}, targetRefs: [${gateway}}]}`, { kind: "targetRefs", refs: [gatewayRef] }],
  ];
  for (const [spec, attachment] of table) {
    assert.deepEqual(lowered({ "p.yaml": policyYaml(spec) }).ruleSet.policies[0]?.attachment, attachment, spec);
  }
});

test("an action and the dry-run annotation give the stage", () => {
  const table: readonly (readonly [action: string, annotation: string | undefined, stage: string])[] = [
    ["ALLOW", undefined, "allow"],
    ["DENY", undefined, "deny"],
    ["AUDIT", undefined, "audit"],
    ["CUSTOM", undefined, "custom"],
    ["ALLOW", "true", "dryRunAllow"],
    ["DENY", "t", "dryRunDeny"],
    ["DENY", "1", "dryRunDeny"],
    ["DENY", "false", "deny"],
    ["DENY", "yes", "deny"],
    ["ALLOW", "", "allow"],
    ["AUDIT", "true", "audit"],
    ["CUSTOM", "true", "custom"],
  ];
  for (const [action, annotation, stage] of table) {
    const annotations = annotation === undefined ? "" : `, annotations: {istio.io/dry-run: '${annotation}'}`;
    const text = policyYaml(`{action: ${action}, rules: [{}]}`, `{name: p, namespace: foo${annotations}}`);
    assert.equal(lowered({ "p.yaml": text }).ruleSet.policies[0]?.stage, stage, `${action} ${annotation}`);
  }
});

test("a policy without rules is a policy all the same", () => {
  const { ruleSet } = lowered({ "p.yaml": policyYaml("{}") });
  assert.equal(ruleSet.policies.length, 1);
  assert.deepEqual(ruleSet.rules, []);
});

test("only CUSTOM policies name a provider", () => {
  const provider = (action: string, written: string) =>
    lowered({ "p.yaml": policyYaml(`{action: ${action}${written}, rules: [{}]}`) }).ruleSet.policies[0]?.provider;
  assert.equal(provider("CUSTOM", ", provider: {name: opa}"), "opa");
  assert.equal(provider("CUSTOM", ""), "");
  assert.equal(provider("DENY", ", provider: {name: opa}"), undefined);
});

test("policies and rules stand in the byte order of their keys", () => {
  const names = ["b", "a", "a-b", "a.b", "a0", "0"];
  const files: Record<string, string> = {};
  for (const namespace of ["foo", "foo-a", "bar"]) {
    for (const name of names) {
      const rules = Array.from({ length: 12 }, () => "{}").join(", ");
      files[`${namespace}/${name}.yaml`] = policyYaml(
        `{rules: [${rules}]}`,
        `{name: '${name}', namespace: ${namespace}}`,
      );
    }
  }
  const { ruleSet } = lowered(files);
  const bytes = (texts: readonly string[]) => texts.map((text) => Buffer.from(text));
  const policyKeys = bytes(ruleSet.policies.map(({ namespace, name }) => `ns[${namespace}]-policy[${name}]`));
  assert.deepEqual(policyKeys, policyKeys.toSorted(Buffer.compare));
  const ruleKeys = bytes(ruleSet.rules.map(({ policy, ordinal }) => ruleKey(ruleSet.policies[policy]!, ordinal)));
  assert.equal(ruleKeys.length, 18 * 12);
  assert.deepEqual(ruleKeys, ruleKeys.toSorted(Buffer.compare));
  const ordinals = ruleSet.rules.slice(0, 12).map(({ ordinal }) => ordinal);
  assert.deepEqual(ordinals, [0, 10, 11, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
});

test("policies and rules know where they were written", () => {
  const text = `---\n${policyYaml("\n  rules:\n  - {}\n  -\n    to: []")}`;
  const { ruleSet } = lowered({ "team/p.yaml": text });
  assert.deepEqual(ruleSet.policies[0]?.origin, { file: "team/p.yaml", line: 2, column: 1 });
  assert.deepEqual(
    ruleSet.rules.map(({ origin }) => [origin.line, origin.column]),
    [
      [7, 5],
      [9, 5],
    ],
  );
});

const peer = (name: string, namespace: string, created: string | undefined, spec: string) =>
  `apiVersion: security.istio.io/v1\nkind: PeerAuthentication\nmetadata: {name: ${name}, namespace: ${namespace}${
    created === undefined ? "" : `, creationTimestamp: '${created}'`
  }}\nspec: ${spec}\n`;

test("peer authentications stand oldest first, then by name, then by namespace", () => {
  const early = "2025-01-01T00:00:00Z";
  const late = "2026-01-01T00:00:00Z";
  const { ruleSet } = lowered({
    "a.yaml": [
      peer("c", "x", late, "{}"),
      peer("b", "w", early, "{}"),
      peer("b", "x", early, "{}"),
      peer("z", "x", undefined, "{}"),
      peer("a", "z", late, "{}"),
    ].join("---\n"),
  });
  assert.deepEqual(
    ruleSet.peerAuthentications.map(({ name, namespace }) => `${namespace}/${name}`),
    ["x/z", "w/b", "x/b", "z/a", "x/c"],
  );
});

test("a peer authentication has its mode, its ports and its labels", () => {
  const spec =
    "{selector: {matchLabels: {a: '1'}}, mtls: {mode: STRICT}, portLevelMtls: {9090: {mode: DISABLE}, 80: {}}}";
  const { ruleSet } = lowered({
    "a.yaml": peer("p", "foo", undefined, spec),
    "b.yaml": peer("q", "foo", undefined, "{}"),
  });
  const [first, second] = ruleSet.peerAuthentications;
  assert.deepEqual([first?.mode, first?.labels], ["STRICT", [["a", "1"]]]);
  assert.deepEqual(first?.ports, [
    [80, "UNSET"],
    [9090, "DISABLE"],
  ]);
  assert.deepEqual([second?.mode, second?.labels, second?.ports], ["UNSET", [], []]);
});

test("a request authentication keeps its rules as written", () => {
  const text = `
apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: {name: r, namespace: foo}
spec:
  selector: {matchLabels: {a: '1'}}
  jwtRules:
  - issuer: z
    jwks: '{"keys":[]}'
  - issuer: a
    audiences: [x]
    jwksUri: https://a/keys
    fromHeaders: [{name: H, prefix: 'P '}, {name: I}]
    fromParams: [p]
    fromCookies: [c]
    forwardOriginalToken: true
    outputPayloadToHeader: out
    outputClaimToHeaders: [{header: h, claim: c.d}]
    timeout: 1.5s
    spaceDelimitedClaims: [s]
`;
  const [rule] = lowered({ "r.yaml": text }).ruleSet.requestAuthentications;
  assert.deepEqual(rule?.attachment, selector(["a", "1"]));
  const plain = { audiences: [], fromHeaders: [], fromParams: [], fromCookies: [], outputClaimToHeaders: [] };
  assert.deepEqual(rule?.jwtRules, [
    {
      ...plain,
      issuer: "z",
      jwksUri: undefined,
      jwks: '{"keys":[]}',
      forwardOriginalToken: false,
      outputPayloadToHeader: undefined,
      timeoutMillis: undefined,
      spaceDelimitedClaims: [],
      origin: { file: "r.yaml", line: 8, column: 5 },
    },
    {
      issuer: "a",
      audiences: ["x"],
      jwksUri: "https://a/keys",
      jwks: undefined,
      fromHeaders: [
        { name: "H", prefix: "P " },
        { name: "I", prefix: "" },
      ],
      fromParams: ["p"],
      fromCookies: ["c"],
      forwardOriginalToken: true,
      outputPayloadToHeader: "out",
      outputClaimToHeaders: [{ header: "h", claim: "c.d" }],
      timeoutMillis: 1500,
      spaceDelimitedClaims: ["s"],
      origin: { file: "r.yaml", line: 10, column: 5 },
    },
  ]);
});

test("workload entries and inline endpoints are registered workloads", () => {
  const text = `
apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata: {name: w, namespace: foo, labels: {app: meta, zone: a}}
spec: {address: 10.0.0.1, labels: {app: spec, tier: db}, serviceAccount: sa, ports: {http: 8080}}
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: s, namespace: bar, labels: {app: other}}
spec:
  hosts: [a.example, b.example]
  ports: [{number: 80, name: http, protocol: HTTP, targetPort: 8080}, {number: 443, name: https, protocol: TLS}]
  endpoints:
  - {address: 10.0.0.2, labels: {app: x}, ports: {http: 8081}}
  - {labels: {app: z}}
`;
  const { ruleSet } = lowered({ "w.yaml": text });
  assert.deepEqual(
    ruleSet.workloads.map(({ origin: _, ...rest }) => rest),
    [
      {
        namespace: "foo",
        name: "w",
        labels: [
          ["app", "meta"],
          ["tier", "db"],
          ["zone", "a"],
        ],
        serviceAccount: "sa",
        address: "10.0.0.1",
        ports: undefined,
      },
      {
        namespace: "bar",
        name: "s/0",
        labels: [["app", "x"]],
        serviceAccount: undefined,
        address: "10.0.0.2",
        ports: [8081, 443],
      },
      {
        namespace: "bar",
        name: "s/1",
        labels: [["app", "z"]],
        serviceAccount: undefined,
        address: undefined,
        ports: [8080, 443],
      },
    ],
  );
  const { origin: _, ...service } = ruleSet.services[0]!;
  assert.deepEqual(service, {
    namespace: "bar",
    name: "s",
    hosts: ["a.example", "b.example"],
    ports: [
      { number: 80, name: "http", protocol: "HTTP", targetPort: 8080 },
      { number: 443, name: "https", protocol: "TLS", targetPort: undefined },
    ],
    resolution: "NONE",
    endpoints: [{ address: "10.0.0.2", ports: [["http", 8081]] }],
  });
});

test("endpoints at which a provider is asked are found by no address, others at their ports", () => {
  const entry = (namespace: string, name: string) => `
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: ${name}, namespace: ${namespace}}
spec: {hosts: [${name}.example], ports: [{number: 9000, name: p}], endpoints: [{address: 127.0.0.1}]}
---
`;
  const registry = entry("auth", "a") + entry("auth", "b") + entry("other", "a");
  const portsFor = (service: string, kind = "envoyExtAuthzGrpc", more = "") => {
    const mesh = `extensionProviders: [{name: x, ${kind}: {service: ${service}, port: 9000${more}}}]`;
    const { ruleSet } = lowered({ "mesh.yaml": mesh, "registry.yaml": registry });
    return ruleSet.workloads.map(({ namespace, name, ports }) => `${namespace}/${name} ${ports}`);
  };
  const [a, b, c] = ["auth/a/0", "auth/b/0", "other/a/0"];
  assert.deepEqual(portsFor("auth/a.example"), [`${a} `, `${b} 9000`, `${c} 9000`]);
  assert.deepEqual(portsFor("a.example", "envoyExtAuthzHttp"), [`${a} `, `${b} 9000`, `${c} `]);
  assert.deepEqual(portsFor("b.example", undefined, ", statusOnError: nonsense"), [`${a} 9000`, `${b} `, `${c} 9000`]);
  assert.deepEqual(portsFor("c.example"), [`${a} 9000`, `${b} 9000`, `${c} 9000`]);
});

test("the mesh and its providers are taken over", () => {
  const { ruleSet } = lowered({
    "mesh.yaml": `
rootNamespace: root
trustDomain: td
trustDomainAliases: [old]
pathNormalization: {normalization: MERGE_SLASHES}
defaultConfig: {gatewayTopology: {numTrustedProxies: 2}}
extensionProviders:
- {name: h, envoyExtAuthzHttp: {service: a.b, port: 80}}
- {name: g, envoyExtAuthzGrpc: {service: a.b, port: 81}}
- {name: o, zipkin: {service: z, port: 1}}
`,
  });
  assert.deepEqual(ruleSet.mesh, {
    rootNamespace: "root",
    trustDomain: "td",
    trustDomainAliases: ["old"],
    pathNormalization: "MERGE_SLASHES",
    numTrustedProxies: 2,
  });
  assert.deepEqual(
    ruleSet.providers.map(({ name, kind }) => [name, kind]),
    [
      ["h", "http"],
      ["g", "grpc"],
      ["o", "other"],
    ],
  );
  assert.deepEqual(JSON.parse(ruleSet.providers[0]!.options), { service: "a.b", port: 80 });
});
