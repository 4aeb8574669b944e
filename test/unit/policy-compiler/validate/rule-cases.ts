import type { DiagnosticCode } from "#policy-compiler/source/codes";

/** One thing wrong, and the same thing right. `spec` is the inside of a YAML flow mapping. */
export interface RuleCase {
  readonly code: DiagnosticCode;
  readonly kind?: "RequestAuthentication" | "PeerAuthentication" | "WorkloadRegistration";
  /** Of our own API group. */
  readonly own?: boolean;
  /** Inside of the flow mapping `annotations`. */
  readonly annotations?: string;
  readonly mesh?: string | undefined;
  /** Documents of another file, `registry.yaml`. */
  readonly registry?: string | undefined;
  readonly bad: string;
  /** What is underlined, one text for each finding of the code, in order of the file. */
  readonly underlined: readonly string[];
  readonly good: string;
  /** Default: `kind`. */
  readonly goodKind?: "AuthorizationPolicy";
  /** Default: `own`. */
  readonly goodOwn?: boolean;
  readonly goodAnnotations?: string;
  readonly goodMesh?: string;
  /** Words that the first finding's message and help must have, where they are the point. */
  readonly says?: string;
}

const many = (count: number, item: string) => Array.from({ length: count }, () => item).join(", ");
const source = (fields: string) => `rules: [{from: [{source: {${fields}}}]}]`;
const operation = (fields: string) => `rules: [{to: [{operation: {${fields}}}]}]`;
const condition = (fields: string) => `rules: [{when: [{${fields}}]}]`;
const jwt = (fields: string) => `jwtRules: [{${fields}}]`;
const set = (key: object) => `'${JSON.stringify({ keys: [key] })}'`;

const rsa = {
  kty: "RSA",
  e: "AQAB",
  n: "vjEJ3eun0O1ow1SCbBGhsQy1RNyyGdBjiEncXzuEQZC1lkdieL0D8sGr-Zi1DjZCIgjddZmmuJwwnue2urCZ6Q",
};

const issuer = "issuer: i";
const labels = "selector: {matchLabels: {a: b}}";

/** The files of a case beside its policy. */
export function besides({ mesh, registry }: Pick<RuleCase, "mesh" | "registry">): { path: string; text: string }[] {
  return [
    ...(mesh === undefined ? [] : [{ path: "mesh.yaml", text: mesh }]),
    ...(registry === undefined ? [] : [{ path: "registry.yaml", text: registry }]),
  ];
}

/** A WorkloadEntry with labels, in the namespace of the policy unless told otherwise. */
const registered = (workloadLabels: string, namespace = "foo") => `apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata: {name: w-${namespace}, namespace: ${namespace}}
spec: {address: 10.0.0.1, labels: {${workloadLabels}}}
`;

const asks = "action: CUSTOM, provider: {name: p}, rules: [{}]";

/** Another CUSTOM policy, of another provider; `placement` is the rest of its spec. */
const asksToo = (placement: string, namespace = "foo") => `apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: other, namespace: ${namespace}}
spec: {action: CUSTOM, provider: {name: q}, rules: [{}], ${placement.slice(1)}
`;

const provider = (options: string, kind: "Http" | "Grpc" = "Grpc") =>
  `extensionProviders: [{name: p, envoyExtAuthz${kind}: ${options}}]`;

const service = (fields: string, host = "authz.example", namespace = "foo") => `apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: s, namespace: ${namespace}}
spec: {hosts: [${host}], ports: [{number: 9000, name: grpc, protocol: GRPC}], ${fields}}
`;

export const ruleCases: readonly RuleCase[] = [
  // --- metadata ---
  {
    code: "metadata/dry-run-kind",
    kind: "RequestAuthentication",
    annotations: 'istio.io/dry-run: "true"',
    bad: jwt(issuer),
    underlined: ['"true"'],
    good: jwt(issuer),
    goodAnnotations: 'example.com/dry-run: "true"',
  },
  {
    code: "metadata/dry-run-kind",
    kind: "PeerAuthentication",
    annotations: 'istio.io/dry-run: "false"',
    bad: "mtls: {mode: STRICT}",
    underlined: ['"false"'],
    good: "mtls: {mode: STRICT}",
    goodAnnotations: "",
  },
  {
    code: "metadata/dry-run-action",
    annotations: 'istio.io/dry-run: "true"',
    bad: "action: AUDIT, rules: [{}]",
    underlined: ['"true"'],
    good: "action: DENY, rules: [{}]",
    says: "`AUDIT`",
  },
  {
    code: "metadata/dry-run-value",
    annotations: 'istio.io/dry-run: "yes"',
    bad: "rules: [{}]",
    underlined: ['"yes"'],
    good: "rules: [{}]",
    goodAnnotations: 'istio.io/dry-run: "T"',
  },
  {
    code: "metadata/internal-annotation",
    annotations: "internal.istio.io/parents: x, internal.istio.io/webhook-always-reject: z",
    bad: "rules: [{}]",
    underlined: ["x", "z"],
    good: "rules: [{}]",
    goodAnnotations: "istio.io/parents: x",
  },

  // --- placement ---
  {
    code: "placement/exclusive",
    bad: `${labels}, targetRefs: [{kind: Service, name: x}]`,
    underlined: ["{kind: Service, name: x}"],
    good: "targetRefs: [{kind: Service, name: x}, {kind: Service, name: z}]",
  },
  {
    code: "placement/exclusive",
    kind: "RequestAuthentication",
    bad: "targetRef: {kind: Service, name: x}, targetRefs: [{kind: Service, name: z}]",
    underlined: ["{kind: Service, name: z}"],
    good: "targetRef: {kind: Service, name: x}, targetRefs: []",
  },
  {
    code: "placement/label-key-empty",
    bad: 'selector: {matchLabels: {"": x}}',
    underlined: ['""'],
    good: 'selector: {matchLabels: {a: ""}}',
  },
  {
    code: "placement/label-wildcard",
    kind: "PeerAuthentication",
    bad: 'selector: {matchLabels: {a*: b, c: "d*"}}',
    underlined: ["a*", '"d*"'],
    good: "selector: {matchLabels: {a: b, c: d}}",
  },
  {
    code: "placement/no-labels",
    bad: "selector: {matchLabels: {}}",
    underlined: ["{matchLabels: {}}"],
    good: labels,
  },
  {
    code: "placement/no-labels",
    kind: "PeerAuthentication",
    bad: "selector: {}",
    underlined: ["{}"],
    good: "selector: null",
  },
  {
    code: "placement/target-name-missing",
    bad: 'targetRefs: [{kind: Service}, {kind: Service, name: ""}]',
    underlined: ["{kind: Service}", '""'],
    good: "targetRefs: [{kind: Service, name: x}]",
  },
  {
    code: "placement/target-namespace",
    bad: "targetRefs: [{kind: Service, name: x, namespace: other}]",
    underlined: ["other"],
    good: 'targetRefs: [{kind: Service, name: x, namespace: ""}]',
  },
  {
    code: "placement/target-kind",
    bad: "targetRefs: [{kind: Gateway, name: x}, {group: gateway.networking.k8s.io, kind: HTTPRoute, name: x}, {name: x}]",
    underlined: ["Gateway", "HTTPRoute", "{name: x}"],
    good: `targetRefs: [{group: core, kind: Service, name: x}, {group: gateway.networking.k8s.io, kind: Gateway, name: x},
      {group: networking.istio.io, kind: ServiceEntry, name: x}, {group: gateway.networking.k8s.io, kind: GatewayClass, name: x}]`,
    says: "`core/Gateway`",
  },

  // --- action and shape ---
  {
    code: "policy/custom-without-rules",
    bad: "action: CUSTOM, provider: {name: p}",
    underlined: ["CUSTOM"],
    good: "action: CUSTOM, provider: {name: p}, rules: [{}]",
  },
  {
    code: "policy/custom-without-provider",
    bad: "action: CUSTOM, rules: [{}]",
    underlined: ["CUSTOM"],
    good: "action: CUSTOM, provider: {name: p}, rules: [{}]",
  },
  {
    code: "policy/custom-without-provider",
    bad: 'action: CUSTOM, provider: {name: ""}, rules: [{}]',
    underlined: ['""'],
    good: "action: CUSTOM",
  },
  {
    code: "policy/provider-without-custom",
    bad: "action: DENY, provider: {name: p}, rules: [{}]",
    underlined: ["p"],
    good: "action: DENY, provider: null, rules: [{}]",
  },
  {
    code: "policy/deny-without-rules",
    bad: "action: DENY, rules: []",
    underlined: ["DENY"],
    good: "action: AUDIT, rules: []",
  },
  {
    code: "policy/custom-source-field",
    bad: `action: CUSTOM, provider: {name: p}, ${source("principals: [a, b], notRequestPrincipals: [c], ipBlocks: [10.0.0.1]")}`,
    underlined: ["a", "c"],
    good: `action: CUSTOM, provider: {name: p}, ${source("ipBlocks: [10.0.0.1], notRemoteIpBlocks: [10.0.0.1]")}`,
    says: "`principals`",
  },
  {
    code: "policy/custom-condition-key",
    bad: `action: CUSTOM, provider: {name: p}, ${condition("key: source.principal, values: [x]}, {key: 'request.auth.claims[a]', values: [x]")}`,
    underlined: ["source.principal", "'request.auth.claims[a]'"],
    good: `action: CUSTOM, provider: {name: p}, ${condition("key: 'request.headers[a]', values: [x]}, {key: source.ip, values: [10.0.0.1]")}`,
  },
  {
    code: "policy/source-missing",
    bad: "rules: [{from: [{}, {source: null}, null]}]",
    underlined: ["{}", "{source: null}", "null"],
    good: "rules: [{from: []}, {from: null}, null]",
  },
  {
    code: "policy/operation-missing",
    bad: "rules: [{to: [{}]}]",
    underlined: ["{}"],
    good: "rules: [{to: []}]",
  },
  {
    code: "policy/source-empty",
    bad: source("principals: []"),
    underlined: ["{principals: []}"],
    good: source("principals: [a]"),
  },
  { code: "policy/operation-empty", bad: operation(""), underlined: ["{}"], good: operation("notPorts: ['80']") },
  {
    code: "policy/service-accounts-combined",
    bad: source("serviceAccounts: [a], notNamespaces: [b], principals: [c]"),
    underlined: ["a"],
    good: source("serviceAccounts: [a], trustDomains: [b], ipBlocks: [10.0.0.1]"),
  },

  // --- conditions ---
  {
    code: "policy/condition-key-missing",
    bad: condition("values: [x]"),
    underlined: ["{values: [x]}"],
    good: condition("key: source.ip, values: [10.0.0.1]"),
  },
  {
    code: "policy/condition-key-missing",
    bad: condition('key: "", values: [x]'),
    underlined: ['""'],
    good: condition("key: connection.sni, values: [x]"),
  },
  {
    code: "policy/condition-without-values",
    bad: condition("key: connection.sni, values: []"),
    underlined: ["connection.sni"],
    good: condition("key: connection.sni, notValues: [a]"),
  },
  {
    code: "policy/condition-key-shape",
    bad: condition(
      "key: request.headers, values: [x]}, {key: 'request.auth.claims[]', values: [x]}, {key: 'experimental.envoy.filters.a[b', values: [x]",
    ),
    underlined: ["request.headers", "'request.auth.claims[]'", "'experimental.envoy.filters.a[b'"],
    good: condition(
      "key: 'request.headers[x]', values: [x]}, {key: 'request.auth.claims[a][b]', values: [x]}, {key: 'experimental.envoy.filters.a[b]', values: [x]",
    ),
    says: "`request.headers[NAME]`",
  },
  {
    code: "policy/condition-key-retired",
    bad: condition("key: destination.user, values: [x]}, {key: 'destination.labels[a]', notValues: [x]"),
    underlined: ["destination.user", "'destination.labels[a]'"],
    good: condition("key: destination.ip, values: [10.0.0.1]"),
  },
  {
    code: "policy/condition-key-unknown",
    bad: condition(
      "key: request.method, values: [GET]}, {key: Source.ip, values: [10.0.0.1]}, {key: source.labels, values: []",
    ),
    underlined: ["request.method", "Source.ip"],
    good: condition("key: source.ip, values: [10.0.0.1]"),
    says: "use `methods`",
  },
  {
    code: "policy/condition-key-unknown",
    bad: condition("key: source.principle, values: [a]"),
    underlined: ["source.principle"],
    good: condition("key: source.principal, values: [a]"),
    says: "did you mean `source.principal`?",
  },

  // --- values ---
  {
    code: "policy/value-empty",
    bad: source('principals: [a, ""], notIpBlocks: [""]'),
    underlined: ['""', '""'],
    good: source("principals: [a], notIpBlocks: [10.0.0.1]"),
  },
  {
    code: "policy/value-empty",
    bad: operation("ports: [null, '80']"),
    underlined: ["null"],
    good: operation("ports: ['80']"),
  },
  {
    code: "policy/value-empty",
    bad: condition("key: 'request.headers[a]', notValues: ['']"),
    underlined: ["''"],
    good: condition("key: 'request.headers[a]', notValues: [' ']"),
  },
  {
    code: "policy/address",
    bad: source(
      "ipBlocks: [10.0.0.1/8, 10.0.0.256, 10.0.0.0/33], notRemoteIpBlocks: ['::1/129', '10.0.0.1:80', '10.0.0.0/08', 'fe80::1%a/64']",
    ),
    underlined: ["10.0.0.256", "10.0.0.0/33", "'::1/129'", "'10.0.0.1:80'", "'10.0.0.0/08'", "'fe80::1%a/64'"],
    good: source("ipBlocks: [10.0.0.1/8, '::', 'fe80::1%a', '::ffff:1.2.3.4'], notRemoteIpBlocks: [0.0.0.0/0]"),
  },
  {
    code: "policy/address",
    bad: condition("key: destination.ip, values: [a], notValues: ['*']"),
    underlined: ["a", "'*'"],
    good: condition("key: source.namespace, values: [a], notValues: ['*']"),
  },
  {
    code: "policy/port",
    bad: operation("ports: ['80', '65536'], notPorts: ['+1']"),
    underlined: ["'65536'", "'+1'"],
    good: operation("ports: ['0', '080', '65535']"),
  },
  {
    code: "policy/port",
    bad: condition("key: destination.port, values: [http]"),
    underlined: ["http"],
    good: condition("key: destination.port, values: ['80']"),
  },
  {
    code: "policy/service-account",
    bad: source("serviceAccounts: ['a*', a/b/c, /a], notServiceAccounts: [a/]"),
    underlined: ["'a*'", "a/b/c", "/a", "a/"],
    good: source("serviceAccounts: [a, a/b]"),
  },
  {
    code: "policy/service-account",
    bad: source(`serviceAccounts: [${"ü".repeat(161)}]`),
    underlined: ["ü".repeat(161)],
    good: source(`serviceAccounts: [${"ü".repeat(160)}]`),
  },
  {
    code: "policy/service-account",
    bad: condition("key: source.serviceAccount, values: ['*']"),
    underlined: ["'*'"],
    good: condition("key: source.serviceAccount, values: [a/b]"),
  },
  {
    code: "policy/service-accounts-too-many",
    bad: source(`serviceAccounts: [${many(16, "a")}, b, c]`),
    underlined: ["b"],
    good: source(`serviceAccounts: [${many(16, "a")}], notServiceAccounts: [b]`),
  },
  {
    code: "policy/trust-domain",
    bad: source("trustDomains: ['a*b', '**', a/b], notTrustDomains: ['a*b*']"),
    underlined: ["'a*b'", "'**'", "a/b", "'a*b*'"],
    good: source("trustDomains: ['*', 'a*', '*a', a]"),
  },
  {
    code: "policy/trust-domain",
    bad: condition("key: source.trustDomain, values: ['a*b']"),
    underlined: ["'a*b'"],
    good: condition("key: source.trustDomain, values: [a/b, 'a*']"),
  },
  {
    code: "policy/path-template",
    bad: operation("paths: ['/{**}/{*}', '/x{y}', '/a//{*}', '/a b/{*}'], notPaths: ['/{*}/a*']"),
    underlined: ["'/{**}/{*}'", "'/x{y}'", "'/a//{*}'", "'/a b/{*}'", "'/{*}/a*'"],
    good: operation("paths: ['/{*}/{**}', '/a//b', '/a b', '/{**}/a'], notPaths: ['*', 'a*']"),
    says: "behind `{**}`",
  },

  // --- DENY on TCP ---
  {
    code: "policy/deny-widens-on-tcp",
    bad: `action: DENY, ${operation("methods: [GET]")}`,
    underlined: ["{methods: [GET]}"],
    good: `action: DENY, ${operation("methods: [GET], ports: ['80']")}`,
  },
  {
    code: "policy/deny-widens-on-tcp",
    bad: `action: DENY, ${source("requestPrincipals: ['*']")}`,
    underlined: ["{requestPrincipals: ['*']}"],
    good: source("requestPrincipals: ['*']"),
  },
  {
    code: "policy/deny-widens-on-tcp",
    bad: `action: DENY, ${source("trustDomains: [a]")}`,
    underlined: ["{trustDomains: [a]}"],
    good: `action: DENY, ${source("trustDomains: [a], principals: [b]")}`,
  },
  {
    code: "lint/deny-widens-on-tcp",
    bad: `action: DENY, rules: [{from: [{source: {ipBlocks: [10.0.0.1]}}, {source: {requestPrincipals: [x]}}]}]`,
    underlined: ["x"],
    good: `action: DENY, rules: [{from: [{source: {ipBlocks: [10.0.0.1]}}, {source: {requestPrincipals: [x]}}], to: [{operation: {ports: ['80']}}]}]`,
  },
  {
    code: "lint/deny-widens-on-tcp",
    bad: `action: DENY, rules: [{to: [{operation: {ports: ['80']}}, {operation: {paths: [/a]}}]}]`,
    underlined: ["/a"],
    good: `action: DENY, rules: [{to: [{operation: {ports: ['80']}}, {operation: {paths: [/a], notPorts: ['90']}}]}]`,
  },
  {
    code: "lint/deny-widens-on-tcp",
    bad: `action: DENY, ${condition("key: 'request.headers[a]', values: [x]")}`,
    underlined: ["'request.headers[a]'"],
    good: `action: DENY, ${condition("key: 'request.headers[a]', values: [x]}, {key: destination.port, values: ['80']")}`,
  },
  {
    code: "lint/deny-widens-on-tcp",
    bad: `action: DENY, ${condition("key: 'request.headers[a]', values: [x]")}`,
    underlined: ["'request.headers[a]'"],
    good: `action: DENY, ${operation("methods: [GET]")}`,
  },

  // --- RequestAuthentication ---
  {
    code: "jwt/issuer-missing",
    kind: "RequestAuthentication",
    bad: `jwtRules: [{}, {issuer: ""}]`,
    underlined: ["{}", '""'],
    good: "jwtRules: [{issuer: i}, {jwksUri: 'https://x/k'}]",
  },
  {
    code: "jwt/audience-empty",
    kind: "RequestAuthentication",
    bad: jwt(`${issuer}, audiences: [a, ""]`),
    underlined: ['""'],
    good: jwt(`${issuer}, audiences: [a]`),
  },
  {
    code: "jwt/jwks-uri",
    kind: "RequestAuthentication",
    bad: "jwtRules: [{jwksUri: 'ftp://x'}, {jwksUri: 'https://h:x/'}]",
    underlined: ["'ftp://x'", "'https://h:x/'"],
    good: "jwtRules: [{jwksUri: 'https://h:80/'}, {jwksUri: 'https://'}]",
  },
  {
    code: "jwt/jwks-syntax",
    kind: "RequestAuthentication",
    bad: jwt(`${issuer}, jwks: nonsense`),
    underlined: ["nonsense"],
    good: jwt(`${issuer}, jwks: ${set(rsa)}`),
  },
  {
    code: "jwt/jwks-syntax",
    kind: "RequestAuthentication",
    bad: jwt(`${issuer}, jwks: ${set({ kty: "EC", x: "AA", y: "AA" })}`),
    underlined: [set({ kty: "EC", x: "AA", y: "AA" })],
    good: jwt(`${issuer}, jwks: '{"keys":[]}'`),
    says: "no `crv`",
  },
  {
    code: "jwt/private-key",
    kind: "RequestAuthentication",
    bad: jwt(`${issuer}, jwks: ${set({ kty: "oct", k: "AAAA" })}`),
    underlined: [set({ kty: "oct", k: "AAAA" })],
    good: jwt(`${issuer}, jwks: ${set(rsa)}`),
  },
  {
    code: "jwt/no-usable-key",
    kind: "RequestAuthentication",
    bad: jwt(`${issuer}, jwks: '{"keys":[]}'`),
    underlined: [`'{"keys":[]}'`],
    good: jwt(`${issuer}, jwks: ${set(rsa)}`),
    says: "an empty set",
  },
  {
    code: "jwt/no-usable-key",
    kind: "RequestAuthentication",
    bad: jwt(`${issuer}, jwks: '${JSON.stringify(rsa)}'`),
    underlined: [`'${JSON.stringify(rsa)}'`],
    good: jwt(`${issuer}, jwks: ""`),
    says: "around the key",
  },
  {
    code: "jwt/no-usable-key",
    kind: "RequestAuthentication",
    bad: jwt(`${issuer}, jwks: ${set({ ...rsa, e: "Ag" })}`),
    underlined: [set({ ...rsa, e: "Ag" })],
    good: jwt(`${issuer}, jwks: '${JSON.stringify({ keys: [{ ...rsa, e: "Ag" }, rsa] })}'`),
    says: "exponent `2`",
  },
  {
    code: "jwt/location-empty",
    kind: "RequestAuthentication",
    bad: jwt(`${issuer}, fromHeaders: [{}, {name: ""}], fromParams: [''], fromCookies: ['']`),
    underlined: ["{}", '""', "''", "''"],
    good: jwt(`${issuer}, fromHeaders: [{name: x, prefix: ""}], fromParams: [x], fromCookies: [x]`),
  },
  {
    code: "jwt/claim-header-empty",
    kind: "RequestAuthentication",
    bad: jwt(`${issuer}, outputClaimToHeaders: [{header: x, claim: ""}, {claim: c}]`),
    underlined: ['""', "{claim: c}"],
    good: jwt(`${issuer}, outputClaimToHeaders: [{header: x, claim: c}]`),
  },
  {
    code: "jwt/claim-header-name",
    kind: "RequestAuthentication",
    bad: jwt(`${issuer}, outputClaimToHeaders: [{header: x y, claim: c}]`),
    underlined: ["x y"],
    good: jwt(`${issuer}, outputClaimToHeaders: [{header: x_y-Z9, claim: c}]`),
  },
  {
    code: "jwt/output-header",
    kind: "RequestAuthentication",
    bad: jwt(`${issuer}, outputPayloadToHeader: Host, outputClaimToHeaders: [{header: host, claim: c}]`),
    underlined: ["Host", "host"],
    good: jwt(`${issuer}, outputPayloadToHeader: x-host, outputClaimToHeaders: [{header: hosts, claim: c}]`),
    says: "without host",
  },
  {
    code: "jwt/output-header",
    kind: "RequestAuthentication",
    bad: `jwtRules: [{${issuer}, outputPayloadToHeader: ":path"}, {${issuer}, outputPayloadToHeader: x y}]`,
    underlined: ['":path"', "x y"],
    good: `jwtRules: [{${issuer}, outputPayloadToHeader: x.path}, {${issuer}, outputPayloadToHeader: ""}]`,
  },
  {
    code: "jwt/timeout",
    kind: "RequestAuthentication",
    bad: "jwtRules: [{issuer: i, timeout: 0.5ms}, {issuer: i, timeout: 1.5ms}, {issuer: i, timeout: x}, {issuer: i, timeout: -5s}]",
    underlined: ["0.5ms", "1.5ms", "x", "-5s"],
    good: "jwtRules: [{issuer: i, timeout: 1ms}, {issuer: i, timeout: 1m30.5s}]",
  },

  // --- PeerAuthentication ---
  {
    code: "peer/ports-without-labels",
    kind: "PeerAuthentication",
    bad: "selector: {}, portLevelMtls: {80: {mode: STRICT}}",
    underlined: ["{80: {mode: STRICT}}"],
    good: `${labels}, portLevelMtls: {80: {mode: STRICT}}`,
  },
  {
    code: "peer/ports-empty",
    kind: "PeerAuthentication",
    bad: `${labels}, portLevelMtls: {}`,
    underlined: ["{}"],
    good: `${labels}, portLevelMtls: null`,
  },
  {
    code: "peer/port-range",
    kind: "PeerAuthentication",
    bad: `${labels}, portLevelMtls: {0: {}, 65536: {}}`,
    underlined: ["0", "65536"],
    good: `${labels}, portLevelMtls: {1: {}, 65535: {}}`,
  },

  // --- errors of ours ---
  {
    code: "policy/template-aborts-envoy",
    bad: operation("paths: ['foo/{*}', '{**}', '/a/{*}//'], notPaths: ['//{*}']"),
    underlined: ["'foo/{*}'", "'{**}'", "'/a/{*}//'", "'//{*}'"],
    good: operation("paths: ['/foo/{*}', '/{**}', '/{*}/', 'foo*']"),
    says: "write `/foo/{*}`",
  },
  {
    code: "policy/condition-key-refused-by-envoy",
    bad: condition("key: 'request.auth.claims[a][]', values: [x]"),
    underlined: ["'request.auth.claims[a][]'"],
    good: condition("key: 'request.auth.claims[a][b]', values: [x]"),
  },

  // --- lints ---
  {
    code: "lint/separate-items",
    bad: "rules: [{from: [{source: {principals: [a]}}, {source: {notIpBlocks: [10.0.0.1]}}]}]",
    underlined: ["{source: {notIpBlocks: [10.0.0.1]}}"],
    good: "rules: [{from: [{source: {principals: [a], notIpBlocks: [10.0.0.1]}}]}]",
    says: "- source: {principals: […], notIpBlocks: […]}",
  },
  {
    code: "lint/separate-items",
    bad: "rules: [{to: [{operation: {methods: [GET]}}, {operation: {paths: [/a]}}, {operation: {ports: ['80']}}]}]",
    underlined: ["{operation: {paths: [/a]}}"],
    good: "rules: [{to: [{operation: {methods: [GET]}}, {operation: {methods: [PUT]}}]}, {to: [{operation: {methods: [GET], paths: [/a]}}, {operation: {ports: ['80']}}]}]",
  },
  {
    code: "lint/separate-items",
    bad: "rules: [{from: [{source: {serviceAccounts: [a]}}, {source: {ipBlocks: [10.0.0.1]}}]}]",
    underlined: ["{source: {ipBlocks: [10.0.0.1]}}"],
    good: "rules: [{from: [{source: {serviceAccounts: [a]}}, {source: {namespaces: [b]}}]}]",
  },
  {
    code: "lint/spiffe-scheme",
    bad: source("principals: ['spiffe://td/ns/a/sa/b'], notPrincipals: ['*spiffe://x']"),
    underlined: ["'spiffe://td/ns/a/sa/b'", "'*spiffe://x'"],
    good: source("principals: [td/ns/a/sa/b]"),
    says: "write `td/ns/a/sa/b`",
  },
  {
    code: "lint/spiffe-scheme",
    bad: condition("key: source.principal, values: ['spiffe://td/x'], notValues: ['spiffe://td/y']"),
    underlined: ["'spiffe://td/x'", "'spiffe://td/y'"],
    good: condition("key: 'request.headers[a]', values: ['spiffe://td/x']"),
  },
  {
    code: "lint/host-without-port",
    bad: operation("hosts: [a.example, b.example, 'B.example:*'], notHosts: ['*.example']"),
    underlined: ["a.example", "'*.example'"],
    good: operation(
      "hosts: [a.example, 'a.example:8080', 'b.*', '*', 'c.example:*', '[::1]:80'], notHosts: ['*.example', '*.example:80']",
    ),
    says: "add `a.example:*`",
  },
  {
    code: "lint/host-without-port",
    bad: operation("hosts: ['[::1]', 'a:b']"),
    underlined: ["'[::1]'", "'a:b'"],
    good: operation("hosts: ['[::1]', '[::1]:*', 'a:1']"),
  },
  {
    code: "lint/literal-star",
    bad: operation("hosts: ['*.example:*'], paths: ['/a/*/b'], methods: ['*E*']"),
    underlined: ["'*.example:*'", "'/a/*/b'", "'*E*'"],
    good: operation("hosts: ['*.example', '*.example:80'], paths: ['/a/{*}/b', '/a/*', '*'], methods: ['*ET']"),
  },
  {
    code: "lint/literal-star",
    bad: source("principals: ['td/ns/*/sa/b']"),
    underlined: ["'td/ns/*/sa/b'"],
    good: source("principals: ['td/ns/a/*', '*/sa/b'], namespaces: ['a*b*']"),
  },
  {
    code: "lint/upper-case-sni",
    bad: condition("key: connection.sni, values: ['*.Example.com'], notValues: [A]"),
    underlined: ["'*.Example.com'", "A"],
    good: condition("key: connection.sni, values: ['*.example.com']"),
    says: "write `*.example.com`",
  },
  {
    code: "lint/lower-case-method",
    bad: operation("methods: [get, GET], notMethods: ['Po*']"),
    underlined: ["get", "'Po*'"],
    good: operation("methods: [GET, 'PO*', M-SEARCH]"),
    says: "write `GET`",
  },
  {
    code: "lint/lower-case-method",
    bad: condition("key: 'request.headers[:method]', values: [get]"),
    underlined: ["get"],
    good: condition("key: 'request.headers[method]', values: [get]"),
  },
  {
    code: "lint/condition-key-not-compiled",
    bad: condition("key: 'request.headersFoo[x]', values: [a]"),
    underlined: ["'request.headersFoo[x]'"],
    good: condition("key: 'request.headers[Foo]', values: [a]"),
    says: "never matches",
  },
  {
    code: "lint/condition-key-not-compiled",
    bad: `action: DENY, ${condition("key: 'request.auth.claimsX[x]', values: [a]")}`,
    underlined: ["'request.auth.claimsX[x]'"],
    good: `action: DENY, ${condition("key: 'request.auth.claims[x]', values: [a]")}`,
    says: "matches more",
  },
  {
    code: "lint/provider-unknown",
    bad: "action: CUSTOM, provider: {name: p}, rules: [{}]",
    underlined: ["p"],
    good: "action: CUSTOM, provider: {name: p}, rules: [{}]",
    goodMesh: "extensionProviders: [{name: p, envoyExtAuthzGrpc: {service: a.b, port: 9000}}]",
    says: "none of that name",
  },
  {
    code: "lint/provider-unknown",
    mesh: "extensionProviders: [{name: p, zipkin: {service: a.b, port: 9411}}]",
    bad: "action: CUSTOM, provider: {name: p}, rules: [{}]",
    underlined: ["p"],
    good: "rules: [{}]",
    says: "another kind",
  },
  {
    code: "lint/provider-name",
    bad: "action: CUSTOM, provider: {name: My_Provider}, rules: [{}]",
    underlined: ["My_Provider"],
    good: `action: CUSTOM, provider: {name: my-provider-${"x".repeat(51)}}, rules: [{}]`,
    says: "-deny-due-to-bad-CUSTOM-action",
  },
  {
    code: "lint/provider-unresolved",
    mesh: provider("{service: foo/authz.example, port: 9000}"),
    registry: service("resolution: DNS", "authz.example", "bar"),
    bad: asks,
    underlined: ["p"],
    good: asks,
    goodMesh: provider("{service: authz.example, port: 9000}"),
    says: "expected a ServiceEntry with host `authz.example` in namespace `foo`, found none, so that requests that match are denied, by rules whose keys end in `-deny-due-to-bad-CUSTOM-action`",
  },
  {
    code: "lint/provider-unresolved",
    mesh: provider(
      "{service: authz.example, port: 9000, includeAdditionalHeadersInCheck: {x: '%START_TIME%'}}",
      "Http",
    ),
    registry: service("resolution: DNS"),
    bad: asks,
    underlined: ["p"],
    good: asks,
    goodMesh: provider(
      "{service: authz.example, port: 9000, includeAdditionalHeadersInCheck: {x: '%PROTOCOL%'}}",
      "Http",
    ),
    says: "which Istio takes and this version does not",
  },
  {
    code: "policy/provider-refused-by-envoy",
    mesh: provider("{service: authz.example, port: 9000, includeRequestBodyInCheck: {allowPartialMessage: true}}"),
    registry: service("resolution: DNS"),
    bad: asks,
    underlined: ["p"],
    good: asks,
    goodMesh: provider("{service: authz.example, port: 9000, includeRequestBodyInCheck: {maxRequestBytes: 1}}"),
    says: "expected `maxRequestBytes` greater than 0",
  },
  {
    code: "lint/provider-unreachable",
    mesh: provider("{service: authz.example, port: 9000}"),
    registry: service("resolution: STATIC"),
    bad: asks,
    underlined: ["p"],
    good: "rules: [{}]",
    says: "service `authz.example` (resolution STATIC) has no address, so that requests that match are answered 403",
  },
  {
    code: "lint/provider-unreachable",
    mesh: provider("{service: authz.example, port: 9001, failOpen: true}"),
    registry: service("resolution: DNS"),
    bad: asks,
    underlined: ["p"],
    good: asks,
    goodMesh: provider("{service: authz.example, port: 9000, failOpen: true}"),
    says: "service `authz.example` has no port 9001, so that requests that match pass unasked (`failOpen`)",
  },
  {
    code: "lint/provider-wants-body",
    mesh: provider("{service: authz.example, port: 9000, includeRequestBodyInCheck: {maxRequestBytes: 1024}}"),
    registry: service("resolution: DNS"),
    bad: asks,
    underlined: ["p"],
    good: asks,
    goodMesh: provider("{service: authz.example, port: 9000}"),
    says: "with_request_body: {max_request_bytes: 1025",
  },
  {
    // What the whole namespace asks and what is asked of some: those are asked nothing.
    code: "lint/several-providers",
    registry: asksToo("{}"),
    bad: `${asks}, ${labels}`,
    underlined: ["p"],
    good: `${asks.replace("name: p", "name: q")}, ${labels}`,
    says: "found `p` beside `q` of `foo/other` (registry.yaml), so that requests that match either are denied",
  },
  {
    code: "lint/several-providers",
    mesh: "rootNamespace: foo",
    registry: asksToo("{selector: {matchLabels: {a: b, c: d}}}", "bar"),
    bad: `${asks}, ${labels}`,
    underlined: ["p"],
    good: `${asks}, ${labels}`,
    goodMesh: "rootNamespace: root",
    says: "`bar/other`",
  },
  {
    // No selector holds the other, but a workload has the labels of both.
    code: "lint/several-providers",
    registry: `${registered("a: b, c: d")}---\n${asksToo("{selector: {matchLabels: {c: d}}}")}`,
    bad: `${asks}, ${labels}`,
    underlined: ["p"],
    good: `${asks}, selector: {matchLabels: {a: e}}`,
  },
  {
    // Of one label two values, and of targets, nothing is told.
    code: "lint/several-providers",
    registry: asksToo("{selector: {matchLabels: {a: b, c: d}}}"),
    bad: `${asks}, selector: {matchLabels: {c: d}}`,
    underlined: ["p"],
    good: `${asks}, selector: {matchLabels: {c: e}}`,
  },
  {
    code: "lint/several-providers",
    registry: asksToo("{}"),
    bad: asks,
    underlined: ["p"],
    good: `${asks}, targetRefs: [{kind: Service, name: s}]`,
  },
  {
    code: "lint/issuer-not-discoverable",
    kind: "RequestAuthentication",
    bad: "jwtRules: [{issuer: accounts.example.com}, {issuer: 'http:x'}, {issuer: 'https:///a'}, {issuer: i, jwks: '', jwksUri: ''}, {issuer: 'https://a b'}]",
    underlined: ["accounts.example.com", "'http:x'", "'https:///a'", "i", "'https://a b'"],
    good: `jwtRules: [{issuer: "https://a.example/b"}, {issuer: "HTTP://a"}, {issuer: i, jwksUri: "https://a.example"}, {jwksUri: "https://a.example"}, {issuer: i, jwks: ${set(rsa)}}]`,
    says: "so that its tokens are refused",
  },

  {
    code: "lint/selects-nothing",
    registry: registered("app: hello, version: v1"),
    bad: "selector: {matchLabels: {app: helo}}",
    underlined: ["helo"],
    good: "selector: {matchLabels: {app: hello, version: v1}}",
    says: "found `app: helo`, so that the policy applies to none did you mean `app: hello`?",
  },
  {
    // Each label is there, on different workloads.
    code: "lint/selects-nothing",
    registry: `${registered("a: 1, b: 1")}---\n${registered("a: 2, b: 2").replace("name: w", "name: v")}`.replaceAll(
      /[12](?=[,}])/g,
      '"$&"',
    ),
    bad: 'selector: {matchLabels: {a: "1", b: "2"}}',
    underlined: ['{matchLabels: {a: "1", b: "2"}}'],
    good: 'selector: {matchLabels: {a: "2", b: "2"}}',
    says: "found `a: 1` with `b: 2`",
  },
  {
    code: "lint/selects-nothing",
    kind: "PeerAuthentication",
    registry: registered("a: b", "fop"),
    bad: "mtls: {mode: STRICT}",
    underlined: ["foo"],
    good: "rules: [{}], targetRefs: [{kind: Service, name: s}]",
    goodKind: "AuthorizationPolicy",
    says: "did you mean `fop`?",
  },
  {
    // The endpoints of a ServiceEntry count; the root namespace has all of them.
    code: "lint/selects-nothing",
    kind: "RequestAuthentication",
    mesh: "rootNamespace: foo",
    registry: `apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: s, namespace: elsewhere}
spec: {hosts: [s.example], endpoints: [{address: 10.0.0.2, labels: {a: c}}]}
`,
    bad: labels,
    underlined: ["b"],
    good: "selector: {matchLabels: {a: c}}",
    says: "labels of a registered workload, found `a: b`",
  },
  {
    code: "lint/mtls-disabled",
    kind: "PeerAuthentication",
    bad: `${labels}, mtls: {mode: DISABLE}, portLevelMtls: {8080: {mode: DISABLE}, 8081: {mode: STRICT}}`,
    underlined: ["DISABLE", "DISABLE"],
    good: `${labels}, mtls: {mode: PERMISSIVE}, portLevelMtls: {8080: {mode: UNSET}}`,
    says: "identities count as sent",
  },

  // --- limits of the Kubernetes API ---
  {
    code: "crd/rules-too-many",
    bad: `rules: [${many(512, "{}")}, {from: null}]`,
    underlined: ["{from: null}"],
    good: `rules: [${many(512, "{}")}]`,
  },
  {
    code: "crd/sources-too-many",
    bad: `rules: [{from: [${many(512, "{source: {namespaces: [a]}}")}, {source: {namespaces: [b]}}]}]`,
    underlined: ["{source: {namespaces: [b]}}"],
    good: `rules: [{from: [${many(512, "{source: {namespaces: [a]}}")}]}]`,
  },
  {
    code: "crd/labels-too-many",
    bad: `selector: {matchLabels: {${Array.from({ length: 4097 }, (_, i) => `k${i}: v`).join(", ")}}}`,
    underlined: ["k4096"],
    good: `selector: {matchLabels: {${Array.from({ length: 4096 }, (_, i) => `k${i}: v`).join(", ")}}}`,
  },
  {
    code: "crd/label-value-long",
    bad: `selector: {matchLabels: {a: ${"é".repeat(64)}}}`,
    underlined: ["é".repeat(64)],
    good: `selector: {matchLabels: {a: ${"é".repeat(63)}}}`,
  },
  {
    code: "crd/targets-too-many",
    bad: `targetRefs: [${many(16, "{kind: Service, name: x}")}, {kind: Service, name: z}]`,
    underlined: ["{kind: Service, name: z}"],
    good: `targetRefs: [${many(16, "{kind: Service, name: x}")}]`,
  },
  {
    code: "crd/target-name-long",
    bad: `targetRefs: [{kind: Service, name: ${"x".repeat(254)}}]`,
    underlined: ["x".repeat(254)],
    good: `targetRef: {kind: Service, name: ${"x".repeat(253)}}`,
  },
  {
    code: "crd/jwt-rules-too-many",
    kind: "RequestAuthentication",
    bad: `jwtRules: [${many(4096, "{issuer: i}")}, {issuer: j}]`,
    underlined: ["{issuer: j}"],
    good: `jwtRules: [${many(4096, "{issuer: i}")}]`,
  },
  {
    code: "crd/issuer-empty",
    kind: "RequestAuthentication",
    bad: jwt(`issuer: "", jwksUri: "https://x"`),
    underlined: ['""'],
    good: jwt(`jwksUri: "https://x"`),
  },
  {
    code: "crd/jwks-twice",
    kind: "RequestAuthentication",
    bad: jwt(`${issuer}, jwks: ${set(rsa)}, jwksUri: "https://x"`),
    underlined: ['"https://x"'],
    good: jwt(`${issuer}, jwksUri: "https://x"`),
  },
  {
    code: "crd/jwks-uri-length",
    kind: "RequestAuthentication",
    bad: `jwtRules: [{${issuer}, jwksUri: "https://${"x".repeat(2041)}"}, {${issuer}, jwksUri: ""}]`,
    underlined: [`"https://${"x".repeat(2041)}"`, '""'],
    good: jwt(`${issuer}, jwksUri: "https://${"x".repeat(2040)}"`),
  },
  {
    code: "crd/space-delimited-claims-too-many",
    kind: "RequestAuthentication",
    bad: jwt(`${issuer}, spaceDelimitedClaims: [${many(64, "a")}, b]`),
    underlined: ["b"],
    good: jwt(`${issuer}, spaceDelimitedClaims: [${many(64, "a")}]`),
  },
  {
    code: "crd/space-delimited-claim-empty",
    kind: "RequestAuthentication",
    bad: jwt(`${issuer}, spaceDelimitedClaims: [a, ""]`),
    underlined: ['""'],
    good: jwt(`${issuer}, spaceDelimitedClaims: [a]`),
  },
];
