import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { decodeText } from "#policy-compiler/yaml/decode-text";
import { parseText } from "#policy-compiler/yaml/parse-yaml";
import { readSimple } from "#policy-compiler/yaml/read-simple";
import { readWithLibrary } from "#policy-compiler/yaml/read-with-library";
import { splitDocuments } from "#policy-compiler/yaml/split-documents";
import { mutated, ordinaryYaml, yamlishText } from "./yaml-texts.ts";

/** The quick reader and the library, file by file: the same trees, or both say that something is wrong. */
function agree(text: string): void {
  if (!decodeText("f.yaml", new TextEncoder().encode(text)).ok) return;
  const quick = parseText("f.yaml", text);
  // What is refused before either reader sees it cannot be compared.
  if (quick.findings.some(({ code }) => code === "yaml/document-marker")) return;
  // The library takes a blank line with a tab before a marker for indentation; a document by itself may end in one.
  if (/^[ ]*\t[ \t]*$/m.test(text) && /^---/m.test(text)) return;
  const whole = readWithLibrary("f.yaml", text);
  // The library reads a quoted text on over a marker, which ends it (YAML 1.2.2, 9.1): then it is asked for each document by itself.
  const isReadOver = whole.findings.length === 0 && quick.findings.length > 0 && /^---/m.test(text);
  const plain = isReadOver ? byDocument(text) : whole;
  assert.equal(
    quick.findings.length > 0,
    plain.findings.length > 0,
    `${JSON.stringify(text)} ${JSON.stringify([quick.findings, plain.findings])}`,
  );
  if (plain.findings.length === 0) assert.deepEqual(quick.documents, plain.documents);
}

function byDocument(text: string): Pick<ReturnType<typeof readWithLibrary>, "documents" | "findings"> {
  const read = splitDocuments(text).map(({ start, end }) => readWithLibrary("f.yaml", text.slice(start, end), start));
  return { documents: read.flatMap(({ documents }) => documents), findings: read.flatMap(({ findings }) => findings) };
}

function check(name: string, texts: fc.Arbitrary<string>, runs: number): void {
  test(`${name}: the quick reader and the library read the same`, () => {
    const seed = Number(process.env["FC_SEED"] ?? Math.floor(Math.random() * 2 ** 31));
    console.log(`${name}: seed ${seed}`);
    fc.assert(fc.property(texts, agree), { seed, numRuns: Number(process.env["FC_RUNS"] ?? runs) });
  });
}

check("ordinary documents", ordinaryYaml, 200);
check("mutated documents", mutated(ordinaryYaml), 800);
check(
  "documents with Windows line ends",
  ordinaryYaml.map((text) => text.replaceAll("\n", "\r\n")),
  100,
);
check("pieces of YAML", yamlishText, 5_000);

test("a marker ends a quoted text, whatever the library reads on to", () => {
  const text = '- "\\"\n---\na: "8080"\n';
  assert.deepEqual(
    parseText("f.yaml", text).findings.map(({ message }) => message),
    ['missing closing "quote'],
  );
  assert.equal(readWithLibrary("f.yaml", text).findings.length, 0, "the library takes it");
  agree(text);
});

test("the quick reader takes the ordinary style, so that the comparison means something", () => {
  const text = `apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
# a comment
metadata:
  name: a # another
  labels: {app: web, "x": 'y'}
spec:
  action: DENY
  rules:
  - from:
      - source: {principals: ["a", b/*]}
    when:
    - key: request.headers[x]
      values: []
  - to: [{operation: {ports: ["80"]}}]
`;
  assert.notEqual(readSimple(text, 0, text.length), undefined);
  const windows = text.replaceAll("\n", "\r\n");
  assert.notEqual(readSimple(windows, 0, windows.length), undefined);
  const json = '{\n "a": [1, {"b": null}],\n "c": "\\u00e9\\n"\n}\n';
  assert.notEqual(readSimple(json, 0, json.length), undefined);
});
