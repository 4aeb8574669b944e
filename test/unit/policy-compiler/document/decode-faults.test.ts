import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeFolder, summaries } from "./folder.ts";
import { authorization, head, jwt, object, peer, rule, service, workload } from "./texts.ts";

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
