import assert from "node:assert/strict";
import { test } from "node:test";
import type { ResponseValueDocument, RuleDocument } from "#policy-compiler/document/model";
import { spanOfRange } from "#policy-compiler/yaml/scalar-runs";
import { decodeFolder, summaries } from "./folder.ts";

const head = (apiVersion: string, kind = "AuthorizationPolicy") =>
  `apiVersion: ${apiVersion}\nkind: ${kind}\nmetadata: {name: a}\n`;
const own = "garita.dev/v1alpha1";
const policy = (rule: string, apiVersion = own) => `${head(apiVersion)}spec: {action: DENY, rules: [${rule}]}\n`;

/** A file, and its findings: severity, code, underlined text. */
const faults: readonly (readonly [name: string, text: string, findings: readonly string[]])[] = [
  ["our kind", `${head(own)}spec: {}\n`, []],
  ["a list of our kind", `apiVersion: ${own}\nkind: AuthorizationPolicyList\nitems:\n- {metadata: {name: a}}\n`, []],
  ["another version", head("garita.dev/v1"), ['error document/unknown-version "garita.dev/v1"']],
  ["no version", head("garita.dev"), ['error document/unknown-version "garita.dev"']],
  [
    "our version in Istio's group",
    head("security.istio.io/v1alpha1"),
    ['error document/unknown-version "security.istio.io/v1alpha1"'],
  ],
  ["Istio's other kind", head(own, "RequestAuthentication"), ['error document/unknown-kind "RequestAuthentication"']],
  ["our kind misspelt", head(own, "AuthorisationPolicy"), ['error document/unknown-kind "AuthorisationPolicy"']],
  ["our group misspelt", head("garita.de/v1alpha1"), ['error document/misspelt-kind "garita.de/v1alpha1"']],
  ["one name in both groups", `${head(own)}---\n${head("security.istio.io/v1")}`, []],
  ["one name twice in ours", `${head(own)}---\n${head(own)}`, ['error document/duplicate-object "a"']],

  [
    "our fields in Istio's kind",
    policy("{cel: [a], denyResponse: {}, allowResponse: null}", "security.istio.io/v1"),
    [
      'error document/garita-field "cel"',
      'error document/garita-field "denyResponse"',
      'error document/garita-field "allowResponse"',
    ],
  ],
  [
    "our fields beside unknown ones",
    policy("{cel: [a], form: []}", "security.istio.io/v1"),
    ['error document/unknown-field "form"', 'error document/garita-field "cel"'],
  ],
  ["our field misspelt", policy("{cell: [a]}"), ['error document/unknown-field "cell"']],
  ["our field in snake case", policy("{deny_response: {}}"), ['error document/unknown-field "deny_response"']],
  ["our field beside the rules", `${head(own)}spec: {cel: [a]}\n`, ['error document/unknown-field "cel"']],
  [
    "our field in a condition",
    policy("{when: [{key: a, values: [b], cel: [c]}]}"),
    ['error document/unknown-field "cel"'],
  ],
  ["cel without a list", policy("{cel: 'true'}"), [`error document/wrong-type "'true'"`]],
  ["cel with a value that is no text", policy("{cel: [true]}"), ['error document/wrong-type "true"']],
  ["cel with an object", policy("{cel: [{cel: a}]}"), ['error document/wrong-type "{cel: a}"']],
  ["a status in quotes", policy('{denyResponse: {status: "401"}}'), []],
  ["a status that is none", policy("{denyResponse: {status: no-way}}"), ['error document/wrong-type "no-way"']],
  ["a status below zero", policy("{denyResponse: {status: -1}}"), ['error document/wrong-type "-1"']],
  ["an answer without an object", policy("{denyResponse: 401}"), ['error document/wrong-type "401"']],
  [
    "a field that an answer does not have",
    policy("{denyResponse: {code: 401}}"),
    ['error document/unknown-field "code"'],
  ],
  ["headers in a list", policy("{denyResponse: {headers: [a]}}"), ['error document/wrong-type "[a]"']],
  ["a header that is a number", policy("{denyResponse: {headers: {a: 1}}}"), ['error document/wrong-type "1"']],
  ["a header with a list", policy("{denyResponse: {headers: {a: [b]}}}"), ['error document/wrong-type "[b]"']],
  [
    "a value with more than cel",
    policy("{denyResponse: {body: {cel: a, text: b}}}"),
    ['error document/unknown-field "text"'],
  ],
  ["a value without cel", policy("{denyResponse: {body: {}}}"), ['error document/wrong-type "{}"']],
  [
    "a value with an empty cel",
    policy("{denyResponse: {body: {cel: null}}}"),
    ['error document/wrong-type "{cel: null}"'],
  ],
  ["a value whose cel is no text", policy("{denyResponse: {body: {cel: 1}}}"), ['error document/wrong-type "1"']],
];

for (const [name, text, expected] of faults) {
  test(`findings: ${name}`, () => {
    const decoded = decodeFolder({ "a.yaml": text });
    assert.deepEqual(summaries(decoded), expected);
    for (const { message } of decoded.findings) assert.match(message, /^[^A-Z\n][^\n]*[^.\n]$/);
  });
}

test("what is refused says what would be taken", () => {
  const said = (text: string) => decodeFolder({ "a.yaml": text }).findings.map((f) => [f.message, f.help]);
  assert.deepEqual(said(head("garita.dev/v1")), [
    ["expected `garita.dev/v1alpha1` for `AuthorizationPolicy`, found `garita.dev/v1`", undefined],
  ]);
  assert.deepEqual(said(head(own, "AuthorizationPolicys")), [
    [
      "expected a kind of `garita.dev`, found `AuthorizationPolicys`",
      "did you mean `AuthorizationPolicy` of `garita.dev/v1alpha1`?",
    ],
  ]);
  assert.deepEqual(said(head(own, "PeerAuthentication")), [
    [
      "expected a kind of `garita.dev`, found `PeerAuthentication`",
      "did you mean `PeerAuthentication` of `security.istio.io/v1`?",
    ],
  ]);
  assert.deepEqual(said(head("garita.de/v1alpha1")), [
    [
      "expected `garita.dev/v1alpha1` `AuthorizationPolicy`, found `garita.de/v1alpha1` `AuthorizationPolicy`",
      undefined,
    ],
  ]);
  assert.deepEqual(said(policy("{cel: [a]}", "security.istio.io/v1beta1")), [
    ["expected a field of Istio's rules, found `cel`, which is our own", "write `apiVersion: garita.dev/v1alpha1`"],
  ]);
});

test("imitating Istio's file loader, nothing of ours is dropped", () => {
  const lax = (text: string) => summaries(decodeFolder({ "a.yaml": text }, { istioLax: true }));
  assert.deepEqual(lax(policy("{cel: [a]}", "security.istio.io/v1")), ['error document/garita-field "cel"']);
  assert.deepEqual(lax(policy("{cell: [a]}")), ['error document/unknown-field "cell"']);
  assert.deepEqual(lax(policy("{cell: [a]}", "security.istio.io/v1")), ['note document/unknown-field-dropped "cell"']);
});

function ruleOf(text: string): RuleDocument {
  const decoded = decodeFolder({ "a.yaml": text });
  assert.deepEqual(decoded.findings, []);
  const [document] = decoded.documents.authorizationPolicies;
  assert.equal(document?.family, text.includes("garita.dev") ? "garita" : "istio");
  return document!.rules[0]!;
}

const shown = (value: ResponseValueDocument | undefined) =>
  value && (value.kind === "text" ? value.text.value : { cel: value.expression.text });

test("a rule of ours is one of Istio's with more", () => {
  const rule = ruleOf(policy("{from: [{source: {namespaces: [a]}}], to: [{}], when: [{key: b}]}"));
  assert.deepEqual(rule.from[0]?.source?.fields.namespaces?.values[0]?.value, "a");
  assert.equal(rule.extension, undefined);
  assert.equal(ruleOf(policy("{}")).extension, undefined);
  assert.equal(ruleOf(policy("null")).extension, undefined);
  assert.equal(ruleOf(policy("{}", "security.istio.io/v1")).extension, undefined);
});

test("conditions and answers are read", () => {
  const { extension } = ruleOf(
    policy(`{cel: [" a < 1 ", b], denyResponse: {status: 401, headers: {X-a: b, c: {cel: "'d'"}}, body: {cel: e}},
      allowResponse: {requestHeaders: {a: b}, responseHeaders: {c: null}, dynamicMetadata: {d: {cel: e}}}}`),
  );
  assert.deepEqual(
    extension?.cel?.expressions.map(({ text }) => text),
    ["a < 1", "b"],
  );
  const { denyResponse, allowResponse } = extension!;
  const fields = (list: readonly { readonly name: { readonly value: string }; value: ResponseValueDocument }[] = []) =>
    Object.fromEntries(list.map(({ name, value }) => [name.value, shown(value)]));
  assert.equal(denyResponse?.status?.value, 401);
  assert.deepEqual(fields(denyResponse?.headers), { "X-a": "b", c: { cel: "'d'" } });
  assert.deepEqual(shown(denyResponse?.body), { cel: "e" });
  assert.deepEqual(fields(allowResponse?.requestHeaders), { a: "b" });
  assert.deepEqual(fields(allowResponse?.responseHeaders), { c: "" });
  assert.deepEqual(fields(allowResponse?.dynamicMetadata), { d: { cel: "e" } });
});

test("a condition that was begun and not written is there, and empty", () => {
  for (const text of ["{cel: null}", "{cel: }", "{cel: []}"]) {
    const { extension } = ruleOf(policy(text));
    assert.deepEqual(extension?.cel?.expressions, [], text);
  }
  const { extension } = ruleOf(policy("{denyResponse: null}"));
  assert.deepEqual(extension?.denyResponse?.headers, []);
});

/** An expression under `cel:`, in the styles of YAML, with `claims.bad` in it. */
const styles: readonly (readonly [name: string, yaml: string, line: number, column: number])[] = [
  ["plain", " claims.bad", 8, 7],
  ["plain over lines", " claims.good &&\n          claims.bad", 9, 11],
  ["single quotes", " 'claims[''a''] == claims.bad'", 8, 25],
  ["double quotes", ' "claims[\\"a\\"] == claims.bad"', 8, 25],
  ["double quotes over lines", ' "\\u0031 == 1 &&\n\n       claims.bad"', 10, 8],
  ["literal", " |\n        true &&\n          claims.bad\n", 10, 11],
  ["literal that strips, indented by its header", " |1-\n       true &&\n        claims.bad\n", 10, 9],
  ["folded", " >-\n        true &&\n        claims.bad\n", 10, 9],
  ["folded with a blank line", " >\n\n        true &&\n\n        claims.bad\n", 12, 9],
  ["an anchor", " &x claims.bad", 8, 10],
];

for (const [name, yaml, line, column] of styles) {
  test(`a part of an expression has its place: ${name}`, () => {
    const text = `${head(own)}spec:\n  rules:\n  - cel:\n    - 'true'\n    -${yaml}\n`;
    const file = text.replaceAll("\n", "\r\n");
    for (const each of [text, file]) {
      const expression = ruleOf(each).extension!.cel!.expressions.at(-1)!;
      const start = expression.text.indexOf("claims.bad");
      const span = spanOfRange(expression.runs!, start, start + "claims.bad".length);
      assert.equal(each.slice(span.start, span.end), "claims.bad");
      const before = each.slice(0, span.start).split("\n");
      assert.deepEqual([before.length, before.at(-1)!.length + 1], [line, column]);
      assert.equal(expression.text.trim(), expression.text);
      const whole = each.slice(expression.span.start, expression.span.end);
      assert.ok(whole.endsWith("claims.bad") && !/^[\s|>"']/.test(whole), whole);
    }
  });
}
