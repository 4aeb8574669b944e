import assert from "node:assert/strict";
import { test } from "node:test";
import { compile } from "#policy-compiler/compile";
import { renderDiagnostic } from "#policy-compiler/source/render";

const compiled = (text: string) => compile([{ path: "a.yaml", bytes: new TextEncoder().encode(text) }]);

const policy = (rule: string) => `apiVersion: garita.dev/v1alpha1
kind: AuthorizationPolicy
metadata: {name: a, namespace: b}
spec:
  action: ALLOW
  rules:
  - ${rule}
`;

/** A rule, and line and column of the fault in its expression: `request.pth`, which does not exist. */
const faults: readonly (readonly [style: string, rule: string, line: number, column: number])[] = [
  ["plain", "cel: [connection.tls && request.pth == 'a']", 7, 29],
  ["plain over lines", "cel:\n    - connection.tls &&\n      request.pth == 'a'", 9, 7],
  ["single quotes", "cel: ['connection.tls && request.pth == ''a''']", 7, 30],
  ["single quotes behind an escape", "cel: ['''a'' == request.pth']", 7, 21],
  ["double quotes behind escapes", 'cel: ["\\"\\u0041\\" == request.pth"]', 7, 26],
  ["double quotes over lines", "cel:\n    - \"connection.tls &&\n\n      request.pth == 'a'\"", 10, 7],
  ["literal", "cel:\n    - |\n      connection.tls &&\n        request.pth == 'a'", 10, 9],
  ["literal with a header", "cel:\n    - |1-\n      connection.tls &&\n        request.pth == 'a'", 10, 9],
  ["folded", "cel:\n    - >-\n      connection.tls &&\n      request.pth == 'a'", 10, 7],
  [
    "folded with lines that are indented more",
    "cel:\n    - >\n      connection.tls\n        && request.pth == 'a'\n",
    10,
    12,
  ],
  ["a value", "allowResponse:\n      requestHeaders:\n        x: {cel: \"'a' + request.pth\"}", 9, 25],
];

for (const [style, rule, line, column] of faults) {
  test(`a fault of an expression is told where its author wrote it: ${style}`, () => {
    for (const text of [policy(rule), policy(rule).replaceAll("\n", "\r\n")]) {
      const { ruleSet, diagnostics } = compiled(text);
      assert.equal(ruleSet, undefined);
      assert.deepEqual(
        diagnostics.map(({ code, file, start, end }) => ({ code, file, start, end })),
        [
          {
            code: "condition/not-allowed",
            file: "a.yaml",
            start: { line, column },
            end: { line, column: column + "request.pth".length },
          },
        ],
      );
      const [, , excerpt, carets] = renderDiagnostic(diagnostics[0]!, text).split("\n");
      const under = carets!.indexOf("^");
      assert.equal(excerpt!.slice(under, under + carets!.lastIndexOf("^") - under + 1), "request.pth");
    }
  });
}

test("what is missing at the end is told there", () => {
  const { diagnostics } = compiled(policy("cel:\n    - |\n      connection.tls &&\n"));
  assert.deepEqual(
    diagnostics.map(({ code, start }) => ({ code, start })),
    [{ code: "condition/syntax", start: { line: 9, column: 24 } }],
  );
});

test("a folder with conditions and answers compiles", () => {
  const { ruleSet, diagnostics } = compiled(
    policy("cel: [\"request.path == '/a'\"]\n    allowResponse: {requestHeaders: {x-sub: {cel: string(claims.sub)}}}"),
  );
  assert.deepEqual(diagnostics, []);
  assert.equal(ruleSet?.rules[0]?.extension?.conditions.length, 1);
});

/** A comment that swallows a condition where lines are joined, and does not where they are kept. */
const comments: readonly (readonly [style: string, rule: string, faultAt: readonly [number, number] | undefined])[] = [
  ["folded", "cel:\n    - >\n      connection.tls // only\n      && request.size < 1", [9, 22]],
  [
    "folded, indented more: kept",
    "cel:\n    - >\n      connection.tls // only\n        && request.size < 1",
    undefined,
  ],
  ["literal: kept", "cel:\n    - |\n      connection.tls // only\n      && request.size < 1", undefined],
  ["double quotes", 'cel:\n    - "connection.tls // only\n      && request.size < 1"', [8, 23]],
  ["double quotes, escaped line end", 'cel:\n    - "connection.tls // only\\\n      && request.size < 1"', [8, 23]],
  [
    "double quotes, a line between: kept",
    'cel:\n    - "connection.tls // only\n\n      && request.size < 1"',
    undefined,
  ],
  ["single quotes", "cel:\n    - 'connection.tls // only\n      && request.size < 1'", [8, 23]],
  ["plain", "cel:\n    - connection.tls // only\n      && request.size < 1", [8, 22]],
  ["no comment, but a text", "cel:\n    - >\n      request.host != 'http://a'\n      && request.size < 1", undefined],
  [
    "texts of three quotes, and an escaped quote",
    "cel:\n    - >\n      workload.namespace != '''it's '' //a''' &&\n      workload.namespace != 'it\\'s //a' && \n      workload.namespace != r'//a'",
    undefined,
  ],
  ["behind the last line end", "cel:\n    - >\n      connection.tls\n      && request.size < 1 // only", undefined],
  [
    "a value",
    "allowResponse:\n      requestHeaders:\n        x: {cel: \"'a' // b\n          + request.method\"}",
    [9, 23],
  ],
];

for (const [style, rule, faultAt] of comments) {
  test(`a comment does not take the lines behind it: ${style}`, () => {
    for (const text of [policy(rule), policy(rule).replaceAll("\n", "\r\n")]) {
      const { diagnostics } = compiled(text);
      const errors = diagnostics.filter(({ severity }) => severity === "error");
      assert.deepEqual(
        errors.map(({ code, start }) => [code, start.line, start.column]),
        faultAt === undefined ? [] : [["condition/syntax", ...faultAt]],
      );
    }
  });
}
