import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeDocuments } from "#policy-compiler/document/decode-documents";
import { yamlLimits } from "#policy-compiler/yaml/limits";
import { decodeFolder, summaries } from "./folder.ts";
import { type Shape, shapeOf } from "./shapes.ts";

const head = "apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: {name: a}\n";
const authorization = (spec: string) => `${head}spec: ${spec}\n`;
const rule = (text: string) => authorization(`{rules: [${text}]}`);
const peer = (spec: string) =>
  `apiVersion: security.istio.io/v1\nkind: PeerAuthentication\nmetadata: {name: a}\nspec: ${spec}\n`;
const jwt = (jwtRule: string) =>
  `apiVersion: security.istio.io/v1\nkind: RequestAuthentication\nmetadata: {name: a}\nspec: {jwtRules: [${jwtRule}]}\n`;
const workload = (spec: string) =>
  `apiVersion: networking.istio.io/v1\nkind: WorkloadEntry\nmetadata: {name: a}\nspec: ${spec}\n`;
const service = (spec: string) =>
  `apiVersion: networking.istio.io/v1\nkind: ServiceEntry\nmetadata: {name: a}\nspec: ${spec}\n`;
const object = (apiVersion: string, kind: string) => `apiVersion: ${apiVersion}\nkind: ${kind}\nmetadata: {name: a}\n`;

/** A file and its findings: severity, code, underlined text. */
const faults: readonly (readonly [name: string, text: string, findings: readonly string[]])[] = [
  // Which documents are ours.
  ["no head at all", "a: 1\n", ['note document/no-kind "a"']],
  ["a list at the root", "- a\n", ['note document/no-kind "- a"']],
  ["a text at the root", "hello\n", ['note document/no-kind "hello"']],
  ["no kind", "apiVersion: v1\n", ['note document/no-kind "apiVersion"']],
  ["another known kind", object("v1", "ConfigMap"), ['note document/other-kind "ConfigMap"']],
  [
    "another kind of Istio's networking",
    object("networking.istio.io/v1", "VirtualService"),
    ['note document/other-kind "VirtualService"'],
  ],
  [
    "Kubernetes' own network policy",
    object("networking.k8s.io/v1", "NetworkPolicy"),
    ['note document/other-kind "NetworkPolicy"'],
  ],
  ["a kind that nobody knows", object("example.com/v1", "Widget"), ['warning document/unfamiliar-kind "Widget"']],
  [
    "a kind with a letter missing",
    object("security.istio.io/v1", "AuthorizationPolcy"),
    ['error document/unknown-kind "AuthorizationPolcy"'],
  ],
  [
    "a kind in another case",
    object("security.istio.io/v1", "authorizationPolicy"),
    ['error document/unknown-kind "authorizationPolicy"'],
  ],
  [
    "a near kind in another group",
    object("security.istio.com/v1", "PeerAuthentications"),
    ['error document/misspelt-kind "PeerAuthentications"'],
  ],
  [
    "our kind in another group",
    object("policy.linkerd.io/v1alpha1", "AuthorizationPolicy"),
    ['error document/misspelt-kind "policy.linkerd.io/v1alpha1"'],
  ],
  [
    "our kind in the other group of ours",
    object("networking.istio.io/v1", "PeerAuthentication"),
    ['error document/unknown-kind "PeerAuthentication"'],
  ],
  [
    "an unknown kind of our group",
    object("security.istio.io/v1", "Whatever"),
    ['error document/unknown-kind "Whatever"'],
  ],
  [
    "a kind of the project's own group",
    object("garita.dev/v1alpha1", "Condition"),
    ['error document/unknown-kind "Condition"'],
  ],
  [
    "an unknown version",
    object("security.istio.io/v1alpha1", "PeerAuthentication"),
    ['error document/unknown-version "security.istio.io/v1alpha1"'],
  ],
  [
    "a group without a version",
    object("security.istio.io", "PeerAuthentication"),
    ['error document/unknown-version "security.istio.io"'],
  ],
  [
    "our kind without apiVersion",
    "kind: PeerAuthentication\nmetadata: {name: a}\n",
    ['error document/misspelt-head "PeerAuthentication"'],
  ],
  [
    "our group without kind",
    "apiVersion: security.istio.io/v1\nmetadata: {name: a}\n",
    ['error document/misspelt-head "security.istio.io/v1"'],
  ],
  ["apiVersion misspelt", "apiversion: v1\nKind: Pod\nmetadata: {}\n", ['error document/misspelt-head "apiversion"']],
  ["template braces", "kind: {{ .Values.kind }}\n", ['error folder/template-braces "{{"']],
  ["template braces in a comment", `# {{ x }}\n${object("v1", "Pod")}`, ['error folder/template-braces "{{"']],

  // Lists.
  [
    "a list of objects",
    `apiVersion: v1\nkind: List\nmetadata: {resourceVersion: ""}\nitems:\n- {apiVersion: v1, kind: Pod}\n- {a: 1}\n`,
    ['note document/other-kind "Pod"', 'note document/no-kind "a"'],
  ],
  ["an empty list", "apiVersion: v1\nkind: List\nitems: null\n", []],
  ["a list that is none", "apiVersion: v1\nkind: List\nitems: {a: 1}\n", ['error document/wrong-type "{a: 1}"']],
  [
    "a typed list",
    "apiVersion: security.istio.io/v1\nkind: PeerAuthenticationList\nitems:\n- metadata: {name: a}\n  spec: {mtls: {mode: strict}}\n",
    ['error document/unknown-enum-value "strict"'],
  ],
  [
    "a list in a list",
    `apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: List\n  items: [{apiVersion: security.istio.io/v1, kind: PeerAuthentication, metadata: {}}]\n`,
    ['error document/metadata "{}"'],
  ],

  // Metadata.
  [
    "no metadata",
    "apiVersion: security.istio.io/v1\nkind: PeerAuthentication\n",
    ['error document/metadata "PeerAuthentication"'],
  ],
  [
    "no name",
    "apiVersion: security.istio.io/v1\nkind: PeerAuthentication\nmetadata: {namespace: a}\n",
    ['error document/metadata "{namespace: a}"'],
  ],
  [
    "a name in upper case",
    "apiVersion: security.istio.io/v1\nkind: PeerAuthentication\nmetadata: {name: A}\n",
    ['error document/metadata "A"'],
  ],
  [
    "a name with an empty part",
    "apiVersion: security.istio.io/v1\nkind: PeerAuthentication\nmetadata: {name: a..b}\n",
    ['error document/metadata "a..b"'],
  ],
  [
    "a namespace with a dot",
    "apiVersion: security.istio.io/v1\nkind: PeerAuthentication\nmetadata: {name: a, namespace: b.c}\n",
    ['error document/metadata "b.c"'],
  ],
  [
    "a name that is a number",
    "apiVersion: security.istio.io/v1\nkind: PeerAuthentication\nmetadata: {name: 1}\n",
    ['error document/wrong-type "1"'],
  ],
  [
    "a label that is a boolean",
    "apiVersion: security.istio.io/v1\nkind: PeerAuthentication\nmetadata: {name: a, labels: {b: true}}\n",
    ['error document/wrong-type "true"'],
  ],
  [
    "a time that is none",
    "apiVersion: security.istio.io/v1\nkind: PeerAuthentication\nmetadata: {name: a, creationTimestamp: yesterday}\n",
    ['error document/metadata "yesterday"'],
  ],
  [
    "a day that is none",
    "apiVersion: security.istio.io/v1\nkind: PeerAuthentication\nmetadata: {name: a, creationTimestamp: '2025-02-29T00:00:00Z'}\n",
    [`error document/metadata "'2025-02-29T00:00:00Z'"`],
  ],
  [
    "a time in small letters",
    "apiVersion: security.istio.io/v1\nkind: PeerAuthentication\nmetadata: {name: a, creationTimestamp: '2025-02-28t00:00:00z'}\n",
    [`error document/metadata "'2025-02-28t00:00:00z'"`],
  ],
  [
    "an unknown field of metadata",
    "apiVersion: security.istio.io/v1\nkind: PeerAuthentication\nmetadata: {name: a, label: {}}\n",
    ['error document/unknown-field "label"'],
  ],
  [
    "what kubectl writes into metadata",
    `${head.replace("{name: a}", "{name: a, uid: x, generation: 3, managedFields: [{}], creationTimestamp: null}")}status: {conditions: []}\n`,
    [],
  ],

  // Fields.
  ["a singular field", rule("{from: [{source: {principal: [a]}}]}"), ['error document/unknown-field "principal"']],
  [
    "a field in another case",
    rule("{to: [{operation: {NotPaths: [a]}}]}"),
    ['error document/unknown-field "NotPaths"'],
  ],
  ["a field beside spec", `${head}rules: []\n`, ['error document/unknown-field "rules"']],
  ["a field at the wrong level", rule("{from: [{principals: [a]}]}"), ['error document/unknown-field "principals"']],
  ["an unquoted port", rule("{to: [{operation: {ports: [80]}}]}"), ['error document/wrong-type "80"']],
  [
    "a word that Kubernetes reads as a boolean",
    rule("{to: [{operation: {methods: [on]}}]}"),
    ['error document/wrong-type "on"'],
  ],
  ["a list that is a text", rule("{to: [{operation: {methods: GET}}]}"), ['error document/wrong-type "GET"']],
  ["rules as an object", authorization("{rules: {}}"), ['error document/wrong-type "{}"']],
  ["a rule as a text", rule("x"), ['error document/wrong-type "x"']],
  ["spec as a list", authorization("[]"), ['error document/wrong-type "[]"']],
  ["an action in lower case", authorization("{action: deny}"), ['error document/unknown-enum-value "deny"']],
  [
    "an action that is a number as text",
    authorization('{action: "1"}'),
    ['error document/unknown-enum-value "\\"1\\""'],
  ],
  ["an action by a number that is none", authorization("{action: 4}"), ['error document/unknown-enum-number "4"']],
  [
    "target_refs, which is no spelling of targetRefs",
    authorization("{target_refs: []}"),
    ['error document/unknown-field "target_refs"'],
  ],
  ["an action that is a boolean", authorization("{action: true}"), ['error document/wrong-type "true"']],
  [
    "labels of a selector that are numbers",
    authorization("{selector: {matchLabels: {a: 1}}}"),
    ['error document/wrong-type "1"'],
  ],
  ["a mode in lower case", peer("{mtls: {mode: strict}}"), ['error document/unknown-enum-value "strict"']],
  ["mtls as a text", peer("{mtls: STRICT}"), ['error document/wrong-type "STRICT"']],
  ["a port key that is none", peer("{portLevelMtls: {http: {mode: STRICT}}}"), ['error document/wrong-type "http"']],
  [
    "a port key beyond 32 bits",
    peer("{portLevelMtls: {4294967296: {mode: STRICT}}}"),
    ['error document/wrong-type "4294967296"'],
  ],
  ["a boolean as text", jwt('{issuer: a, forwardOriginalToken: "true"}'), ['error document/wrong-type "\\"true\\""']],
  ["key sets as an object", jwt("{issuer: a, jwks: {keys: []}}"), ['error document/wrong-type "{keys: []}"']],
  ["a timeout as a number", jwt("{issuer: a, timeout: 5}"), ['error document/wrong-type "5"']],
  [
    "a field that the targeted Istio does not have",
    jwt("{issuer: a, presence: REQUIRED}"),
    ['error document/unknown-field "presence"'],
  ],
  ["a port that is no whole number", workload("{ports: {http: 80.5}}"), ['error document/wrong-type "80.5"']],
  ["a port below zero", workload("{ports: {http: -1}}"), ['error document/wrong-type "-1"']],
  ["a port that is octal for some", workload("{ports: {http: 010}}"), ['error document/wrong-type "010"']],
  ["a location that is none", service("{location: OUTSIDE}"), ['error document/unknown-enum-value "OUTSIDE"']],
  [
    "several faults of one object",
    authorization("{action: deny, rule: [], rules: [{to: [{operation: {ports: [80, 81]}}]}]}"),
    [
      'error document/unknown-field "rule"',
      'error document/unknown-enum-value "deny"',
      'error document/wrong-type "80"',
      'error document/wrong-type "81"',
    ],
  ],
];

for (const [name, text, expected] of faults) {
  test(`findings: ${name}`, () => {
    const decoded = decodeFolder({ "a.yaml": text });
    assert.deepEqual(summaries(decoded), expected);
    for (const { message } of decoded.findings) assert.match(message, /^[^A-Z\n][^\n]*[^.\n]$/);
  });
}

test("a near field is suggested, and the known ones are listed when none is near", () => {
  const help = (text: string) => decodeFolder({ "a.yaml": text }).findings.map((finding) => finding.help);
  assert.deepEqual(help(rule("{from: [{source: {principal: [a]}}]}")), ["did you mean `principals`?"]);
  assert.deepEqual(help(rule("{form: []}")), ["did you mean `from`?"]);
  assert.deepEqual(help(rule("{if: []}")), ["known fields: `from`, `to`, `when`"]);
});

test("a number is told to be written as what its field wants", () => {
  const help = (files: Record<string, string>) => decodeFolder(files).findings.map((finding) => finding.help);
  const written = "write `5s` or `500ms`";
  assert.deepEqual(help({ "a.yaml": jwt("{issuer: 5, timeout: 5}") }), ['write it in quotes: "5"', written]);
  for (const timeout of ["5", '"5"', "five"]) {
    const mesh = `extensionProviders: [{name: a, envoyExtAuthzGrpc: {timeout: ${timeout}}}]\n`;
    assert.deepEqual(help({ "mesh.yaml": mesh }), [written], timeout);
  }
});

test("imitating Istio's file loader, unknown fields are dropped with a note", () => {
  const decoded = decodeFolder({ "a.yaml": rule("{from: [{source: {principal: [a]}}]}") }, { istioLax: true });
  assert.deepEqual(summaries(decoded), ['note document/unknown-field-dropped "principal"']);
  const [policy] = decoded.documents.authorizationPolicies;
  assert.deepEqual(policy?.rules[0]?.from[0]?.source?.fields, {});
});

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

test("the second object of a kind, namespace and name is an error, whatever its version", () => {
  const first = peer("{}");
  const decoded = decodeFolder({
    "b.yaml": first.replace("/v1", "/v1beta1"),
    "a.yaml": `${first}---\n${first.replace("{name: a}", "{name: a, namespace: other}")}`,
  });
  assert.deepEqual(
    decoded.findings.map(({ code, file }) => [code, file]),
    [["document/duplicate-object", "b.yaml"]],
  );
  assert.equal(decoded.findings[0]?.help, "the first stands in a.yaml, line 3");
});

test("files are read in order of their paths, at any depth; hidden folders and other names are not looked at", () => {
  const named = (name: string) => peer("{}").replace("{name: a}", `{name: ${name}}`);
  const decoded = decodeFolder({
    "z.yml": named("z"),
    "a/b/c.json": '{"apiVersion": "security.istio.io/v1", "kind": "PeerAuthentication", "metadata": {"name": "c"}}',
    "B.YAML": named("upper"),
    ".git/x.yaml": "{{",
    "a/.hidden/x.yaml": "{{",
    "notes.md": "{{",
    "a/x.yaml.bak": "{{",
    "x.tpl": "{{",
  });
  assert.deepEqual(summaries(decoded), []);
  assert.deepEqual(
    decoded.documents.peerAuthentications.map(({ head }) => head.name.value),
    ["upper", "c", "z"],
  );
});

test("policy tests are passed over", () => {
  const decoded = decodeFolder({ "a_test.yaml": "{{", "b/c_test.yml": "x: [", "test.yaml": "a: 1\n" });
  assert.deepEqual(summaries(decoded), [
    'note folder/policy-test ""',
    'note folder/policy-test ""',
    'note document/no-kind "a"',
  ]);
});

test("an object that does not decode is left out, its neighbours are not", () => {
  const decoded = decodeFolder({ "a.yaml": `${authorization("{action: deny}")}---\n${peer("{}")}` });
  assert.equal(decoded.documents.authorizationPolicies.length, 0);
  assert.equal(decoded.documents.peerAuthentications.length, 1);
});

test("a folder whose files are too large together is refused where the limit is passed", () => {
  const half = { bytes: new Uint8Array(yamlLimits.folderBytes / 2) };
  const files = ["a_test.yaml", "b_test.yaml", "c.yaml", "d.yaml"].map((path) => ({ path, ...half }));
  const { findings } = decodeDocuments(files, {});
  assert.deepEqual(
    findings.map(({ code, file }) => [code, file]),
    [
      ["folder/policy-test", "a_test.yaml"],
      ["folder/policy-test", "b_test.yaml"],
      ["folder/too-large", "c.yaml"],
    ],
  );
});
