import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeFolder, summaries } from "./folder.ts";
import { type Shape, shapeOf } from "./shapes.ts";
import { authorization, head, jwt, peer, rule, service, workload } from "./texts.ts";

/** How Istio's loader reads odd input: null, empty, the two spellings. */
const shapes: readonly (readonly [name: string, text: string, shape: Shape])[] = [
  ["no spec", head, { action: "ALLOW", rules: [] }],
  ["a null spec", authorization("null"), { action: "ALLOW", rules: [] }],
  ["an empty spec", authorization("{}"), { action: "ALLOW", rules: [] }],
  [
    "null for everything",
    authorization("{action: null, rules: null, selector: null, provider: null}"),
    { action: "ALLOW", rules: [] },
  ],
  ["an empty list of rules", authorization("{rules: []}"), { action: "ALLOW", rules: [] }],
  ["a null rule is an empty rule", rule("null"), { action: "ALLOW", rules: [{}] }],
  ["an empty rule", rule("{}"), { action: "ALLOW", rules: [{}] }],
  ["empty lists in a rule", rule("{from: [], to: null, when: []}"), { action: "ALLOW", rules: [{}] }],
  ["a null item of from", rule("{from: [null]}"), { action: "ALLOW", rules: [{ from: ["none"] }] }],
  ["a null source", rule("{from: [{source: null}]}"), { action: "ALLOW", rules: [{ from: ["none"] }] }],
  ["an empty source", rule("{from: [{source: {}}]}"), { action: "ALLOW", rules: [{ from: [{}] }] }],
  ["a null operation", rule("{to: [{}]}"), { action: "ALLOW", rules: [{ to: ["none"] }] }],
  [
    "a null text in a list is an empty text",
    rule("{to: [{operation: {paths: [null, a]}}]}"),
    { action: "ALLOW", rules: [{ to: [{ paths: ["", "a"] }] }] },
  ],
  [
    "a null list of values",
    rule("{to: [{operation: {paths: null, methods: []}}]}"),
    { action: "ALLOW", rules: [{ to: [{}] }] },
  ],
  [
    "snake case",
    rule("{from: [{source: {request_principals: [a], not_ip_blocks: [b]}}]}"),
    { action: "ALLOW", rules: [{ from: [{ requestPrincipals: ["a"], notIpBlocks: ["b"] }] }] },
  ],
  [
    "both spellings: camel case wins",
    rule("{to: [{operation: {not_paths: [a], notPaths: [b]}}, {operation: {notPaths: [b], not_paths: [a]}}]}"),
    { action: "ALLOW", rules: [{ to: [{ notPaths: ["b"] }, { notPaths: ["b"] }] }] },
  ],
  [
    "both spellings: camel case wins although it is null",
    rule("{to: [{operation: {notPaths: null, not_paths: [a]}}]}"),
    { action: "ALLOW", rules: [{ to: [{}] }] },
  ],
  ["an action by number", authorization("{action: 1, rules: [{}]}"), { action: "DENY", rules: [{}] }],
  [
    "a condition",
    rule("{when: [{key: k, values: [a], not_values: [b]}, null]}"),
    { action: "ALLOW", rules: [{ when: [{ key: "k", values: ["a"], notValues: ["b"] }, {}] }] },
  ],
];

for (const [name, text, expected] of shapes) {
  test(`reading: ${name}`, () => {
    const decoded = decodeFolder({ "a.yaml": text });
    assert.deepEqual(summaries(decoded), []);
    assert.deepEqual(shapeOf(decoded.documents.authorizationPolicies[0]!), expected);
  });
}

test("the head of an object", () => {
  const text = `apiVersion: security.istio.io/v1beta1
kind: PeerAuthentication
metadata:
  name: a.b-c
  namespace: ns
  labels: {app: web}
  annotations: {istio.io/dry-run: "true", empty: null}
  creationTimestamp: "2025-01-02T03:04:05.5+01:00"
`;
  const decoded = decodeFolder({ "x/y.yaml": text });
  const head = decoded.documents.peerAuthentications[0]!.head;
  assert.equal(head.file, "x/y.yaml");
  assert.equal(head.apiVersion.value, "security.istio.io/v1beta1");
  assert.equal(head.name.value, "a.b-c");
  assert.equal(head.namespace.value, "ns");
  assert.deepEqual(
    [...head.labels].map(([key, label]) => [key, label.value]),
    [["app", "web"]],
  );
  assert.deepEqual(
    [...head.annotations].map(([key, text]) => [key, text.value]),
    [
      ["istio.io/dry-run", "true"],
      ["empty", ""],
    ],
  );
  assert.equal(head.creationTimeMillis, Date.parse("2025-01-02T02:04:05.500Z"));
  assert.equal(text.slice(head.name.span.start, head.name.span.end), "a.b-c");
});

test("an object without a namespace is in `default`, and a missing time is unknown", () => {
  const { head } = decodeFolder({ "a.yaml": peer("{}") }).documents.peerAuthentications[0]!;
  assert.equal(head.namespace.value, "default");
  assert.equal(head.creationTimeMillis, undefined);
});

test("modes and ports of a PeerAuthentication", () => {
  const read = (spec: string) => {
    const decoded = decodeFolder({ "a.yaml": peer(spec) });
    assert.deepEqual(summaries(decoded), []);
    const { mode, portLevelMtls, selector } = decoded.documents.peerAuthentications[0]!;
    return {
      mode: mode?.value,
      ports: portLevelMtls?.ports.map(({ port, mode: each }) => [port.value, each.value]),
      labels: selector?.matchLabels.map(({ key, value }) => [key.value, value.value]),
    };
  };
  assert.deepEqual(read("{}"), { mode: undefined, ports: undefined, labels: undefined });
  assert.deepEqual(read("{selector: {}, mtls: {}, portLevelMtls: {}}"), { mode: undefined, ports: [], labels: [] });
  assert.deepEqual(read("{mtls: {mode: 3}, portLevelMtls: null}"), {
    mode: "STRICT",
    ports: undefined,
    labels: undefined,
  });
  assert.deepEqual(read('{selector: {match_labels: {a: b}}, port_level_mtls: {8080: {mode: DISABLE}, "9090": null}}'), {
    mode: undefined,
    ports: [
      ["8080", "DISABLE"],
      ["9090", "UNSET"],
    ],
    labels: [["a", "b"]],
  });
});

test("every field of a JWT rule", () => {
  const decoded = decodeFolder({
    "a.yaml": jwt(
      "{issuer: i, audiences: [a], jwks_uri: u, jwks: '{}', fromHeaders: [{name: h, prefix: 'p '}, null], fromParams: [q], fromCookies: [c], forwardOriginalToken: true, outputPayloadToHeader: h, outputClaimToHeaders: [{header: x, claim: z}], timeout: 5s, spaceDelimitedClaims: [s]}, null",
    ),
  });
  assert.deepEqual(summaries(decoded), []);
  const [full, empty] = decoded.documents.requestAuthentications[0]!.jwtRules;
  const values = (list: readonly { readonly value: string }[]) => list.map(({ value }) => value);
  assert.equal(full?.issuer?.value, "i");
  assert.deepEqual(values(full!.audiences), ["a"]);
  assert.equal(full?.jwksUri?.value, "u");
  assert.equal(full?.jwks?.value, "{}");
  assert.deepEqual(
    full?.fromHeaders.map(({ name, prefix }) => [name?.value, prefix?.value]),
    [
      ["h", "p "],
      [undefined, undefined],
    ],
  );
  assert.deepEqual(values(full!.fromParams), ["q"]);
  assert.deepEqual(values(full!.fromCookies), ["c"]);
  assert.equal(full?.forwardOriginalToken, true);
  assert.equal(full?.outputPayloadToHeader?.value, "h");
  assert.deepEqual(
    full?.outputClaimToHeaders.map(({ header, claim }) => [header?.value, claim?.value]),
    [["x", "z"]],
  );
  assert.equal(full?.timeout?.value, "5s");
  assert.deepEqual(values(full!.spaceDelimitedClaims), ["s"]);
  assert.equal(empty?.issuer, undefined);
  assert.equal(empty?.forwardOriginalToken, false);
});

test("workloads and services in every served version", () => {
  for (const version of ["v1", "v1beta1", "v1alpha3"]) {
    const spec =
      '{address: 10.0.0.1, ports: {http: 80, grpc: "90", none: null}, labels: {app: a}, service_account: sa, weight: 1}';
    const decoded = decodeFolder({
      "w.yaml": workload(spec).replace("/v1", `/${version}`),
      "s.yaml": service(
        `{hosts: [h.com], ports: [{number: 80, name: http, protocol: HTTP, targetPort: 8080}], endpoints: [${spec}], location: MESH_INTERNAL, resolution: STATIC, workloadSelector: {labels: {a: b}}, exportTo: ['.']}`,
      ).replace("/v1", `/${version}`),
    });
    assert.deepEqual(summaries(decoded), []);
    const [entry] = decoded.documents.workloads;
    assert.equal(entry?.address?.value, "10.0.0.1");
    assert.equal(entry?.serviceAccount?.value, "sa");
    assert.deepEqual(
      [...entry!.ports],
      [
        ["http", 80],
        ["grpc", 90],
        ["none", 0],
      ],
    );
    assert.deepEqual([...entry!.labels], [["app", "a"]]);
    const [declared] = decoded.documents.services;
    assert.deepEqual(
      declared?.hosts.map(({ value }) => value),
      ["h.com"],
    );
    assert.deepEqual(declared?.ports, [{ number: 80, name: "http", protocol: "HTTP", targetPort: 8080 }]);
    assert.equal(declared?.endpoints[0]?.address?.value, "10.0.0.1");
    assert.deepEqual([declared?.location, declared?.resolution], ["MESH_INTERNAL", "STATIC"]);
    assert.deepEqual([...declared!.workloadSelector!], [["a", "b"]]);
  }
});
