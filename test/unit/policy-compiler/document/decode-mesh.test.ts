import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeFolder, summaries } from "./folder.ts";

const decodeMesh = (text: string) => {
  const decoded = decodeFolder({ "mesh.yaml": text });
  const { spans: _, ...mesh } = decoded.documents.mesh;
  return { mesh, found: summaries(decoded) };
};

const defaults = {
  type: "mesh",
  file: "mesh.yaml",
  trustDomain: "cluster.local",
  trustDomainAliases: [],
  rootNamespace: "istio-system",
  pathNormalization: "BASE",
  numTrustedProxies: 0,
  extensionProviders: [],
};

test("without mesh.yaml, and with an empty one, Istio's defaults hold", () => {
  assert.deepEqual(decodeFolder({}).documents.mesh, { ...defaults, spans: new Map() });
  for (const text of ["", "# nothing\n", "{}", "meshConfig:\n", "meshConfig: {}\n", "trustDomain: null\n"]) {
    assert.deepEqual(decodeMesh(text), { mesh: defaults, found: [] });
  }
});

const full = `trustDomain: example.org
trustDomainAliases: [old.example.org, older]
rootNamespace: root
pathNormalization:
  normalization: DECODE_AND_MERGE_SLASHES
defaultConfig:
  gatewayTopology:
    numTrustedProxies: 2
`;

test("every field that is used, bare and inside meshConfig, in both spellings", () => {
  const snake = full.replaceAll(/[A-Z](?=[a-z]+[A-Z]?[a-z]*:)/g, (letter) => `_${letter.toLowerCase()}`);
  assert.match(snake, /trust_domain_aliases/);
  const expected = {
    ...defaults,
    trustDomain: "example.org",
    trustDomainAliases: ["old.example.org", "older"],
    rootNamespace: "root",
    pathNormalization: "DECODE_AND_MERGE_SLASHES",
    numTrustedProxies: 2,
  };
  const wrapped = `meshConfig:\n${full.replaceAll(/^/gm, "  ").trimEnd()}\n`;
  for (const text of [full, snake, wrapped]) assert.deepEqual(decodeMesh(text), { mesh: expected, found: [] });
});

test("every mode of path normalisation", () => {
  for (const [written, meant] of [
    ["DEFAULT", "BASE"],
    ["NONE", "NONE"],
    ["BASE", "BASE"],
    ["MERGE_SLASHES", "MERGE_SLASHES"],
    ["DECODE_AND_MERGE_SLASHES", "DECODE_AND_MERGE_SLASHES"],
    ["0", "BASE"],
    ["1", "NONE"],
    ["null", "BASE"],
  ]) {
    const { mesh, found } = decodeMesh(`pathNormalization: {normalization: ${written}}\n`);
    assert.deepEqual([mesh.pathNormalization, found], [meant, []]);
  }
});

test("providers, with their options by camelCase names", () => {
  const { mesh, found } = decodeMesh(`extensionProviders:
- name: My_Provider
  envoyExtAuthzHttp:
    service: foo/authz.foo.svc
    port: "8000"
    timeout: 0.5s
    path_prefix: /check
    failOpen: true
    statusOnError: "503"
    includeRequestHeadersInCheck: [x-a, null]
    includeAdditionalHeadersInCheck: {x-b: c}
    includeRequestBodyInCheck: {maxRequestBytes: 10, allow_partial_message: true, packAsBytes: null}
    headersToUpstreamOnAllow: []
- name: grpc
  envoyExtAuthzGrpc: {service: a.b, port: 9000, clearRouteCache: true}
- name: tracer
  zipkin: {service: z, port: 9411}
`);
  assert.deepEqual(found, []);
  assert.deepEqual(
    mesh.extensionProviders.map(({ name, kind, options }) => [name.value, kind, options]),
    [
      [
        "My_Provider",
        "envoyExtAuthzHttp",
        {
          service: "foo/authz.foo.svc",
          port: 8000,
          timeout: "0.5s",
          pathPrefix: "/check",
          failOpen: true,
          statusOnError: "503",
          includeRequestHeadersInCheck: ["x-a", ""],
          includeAdditionalHeadersInCheck: { "x-b": "c" },
          includeRequestBodyInCheck: { maxRequestBytes: 10, allowPartialMessage: true },
          headersToUpstreamOnAllow: [],
        },
      ],
      ["grpc", "envoyExtAuthzGrpc", { service: "a.b", port: 9000, clearRouteCache: true }],
      ["tracer", "other", { zipkin: { service: "z", port: 9411 } }],
    ],
  );
});

const faults: readonly (readonly [name: string, text: string, findings: readonly string[]])[] = [
  ["a field of Istio without effect", "accessLogFile: /dev/stdout\n", ['note mesh/unused-field "accessLogFile"']],
  ["a field of Istio without effect, in snake case", "mesh_mTLS: {}\n", ['note mesh/unused-field "mesh_mTLS"']],
  [
    "a proxy's field without effect",
    "defaultConfig: {holdApplicationUntilProxyStarts: true}\n",
    ['note mesh/unused-field "holdApplicationUntilProxyStarts"'],
  ],
  [
    "a topology's field without effect",
    "defaultConfig: {gatewayTopology: {proxyProtocol: {}}}\n",
    ['note mesh/unused-field "proxyProtocol"'],
  ],
  ["a field that Istio does not have", "trustDomains: [a]\n", ['error document/unknown-field "trustDomains"']],
  [
    "a proxy's field that Istio does not have",
    "defaultConfig: {gatewayTopologies: {}}\n",
    ['error document/unknown-field "gatewayTopologies"'],
  ],
  ["path normalisation as a text", "pathNormalization: BASE\n", ['error document/wrong-type "BASE"']],
  [
    "path normalisation in lower case",
    "pathNormalization: {normalization: base}\n",
    ['error document/unknown-enum-value "base"'],
  ],
  ["a trust domain that is a number", "trustDomain: 1\n", ['error document/wrong-type "1"']],
  ["an empty trust domain", 'trustDomain: ""\n', ['error mesh/value "\\"\\""']],
  ["an alias with a scheme", "trustDomainAliases: [spiffe://a]\n", ['error mesh/value "spiffe://a"']],
  ["a root namespace that is none", "rootNamespace: Root\n", ['error mesh/value "Root"']],
  [
    "an operator's object",
    "apiVersion: install.istio.io/v1alpha1\nkind: IstioOperator\nspec: {meshConfig: {}}\n",
    ['error mesh/shape "apiVersion"'],
  ],
  ["something beside meshConfig", "meshConfig: {}\nglobal: {}\n", ['error document/unknown-field "global"']],
  ["a list", "- trustDomain\n", ['error document/wrong-type "- trustDomain"']],
  ["two documents", "trustDomain: a\n---\ntrustDomain: b\n", ['error mesh/shape "trustDomain: b"']],
  [
    "a provider without a name",
    "extensionProviders: [{envoyExtAuthzGrpc: {}}]\n",
    ['error mesh/value "{envoyExtAuthzGrpc: {}}"'],
  ],
  ["a provider without a kind", "extensionProviders: [{name: a}]\n", ['error mesh/value "{name: a}"']],
  [
    "a provider of two kinds",
    "extensionProviders: [{name: a, envoyExtAuthzGrpc: {}, zipkin: {}}]\n",
    ['error mesh/value "{name: a, envoyExtAuthzGrpc: {}, zipkin: {}}"'],
  ],
  [
    "a provider of a kind that Istio does not have",
    "extensionProviders: [{name: a, envoyExtAuthz: {}}]\n",
    ['error document/unknown-field "envoyExtAuthz"', 'error mesh/value "{name: a, envoyExtAuthz: {}}"'],
  ],
  [
    "a provider twice",
    "extensionProviders: [{name: a, zipkin: {}}, {name: a, zipkin: {}}]\n",
    ['error mesh/value "a"'],
  ],
  [
    "an option of HTTP given to gRPC",
    "extensionProviders: [{name: a, envoyExtAuthzGrpc: {pathPrefix: /a}}]\n",
    ['error document/unknown-field "pathPrefix"'],
  ],
  [
    "a status as a number",
    "extensionProviders: [{name: a, envoyExtAuthzGrpc: {statusOnError: 503}}]\n",
    ['error document/wrong-type "503"'],
  ],
  [
    "a timeout as a number",
    "extensionProviders: [{name: a, envoyExtAuthzGrpc: {timeout: 5}}]\n",
    ['error document/wrong-type "5"'],
  ],
  [
    "a timeout without a unit",
    'extensionProviders: [{name: a, envoyExtAuthzGrpc: {timeout: "5"}}, {name: b, envoyExtAuthzHttp: {timeout: -5s}}]\n',
    ['error mesh/value "\\"5\\""'],
  ],
];

for (const [name, text, expected] of faults) {
  test(`findings: ${name}`, () => assert.deepEqual(decodeMesh(text).found, expected));
}

test("only the root of the folder has a mesh.yaml, and only under this name", () => {
  const decoded = decodeFolder({ "a/mesh.yaml": "trustDomain: a\n", "mesh.yml": "trustDomain: b\n" });
  assert.deepEqual(summaries(decoded), ['note document/no-kind "trustDomain"', 'error mesh/shape ""']);
  assert.equal(decoded.documents.mesh.trustDomain, "cluster.local");
});
