import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { decodeText } from "#policy-compiler/yaml/decode-text";
import { parseText } from "#policy-compiler/yaml/parse-yaml";
import { readWithLibrary } from "#policy-compiler/yaml/read-with-library";
import { scalarRuns, spanOfRange } from "#policy-compiler/yaml/scalar-runs";
import type { YamlNode, YamlScalar } from "#policy-compiler/yaml/tree";
import { testSeed } from "#test/support/random";
import { mutated, ordinaryYaml, yamlishText } from "./yaml-texts.ts";

function* scalarsOf(node: YamlNode): Generator<YamlScalar> {
  if (node.kind === "scalar") yield node;
  else if (node.kind === "sequence") for (const item of node.items) yield* scalarsOf(item);
  else for (const { key, value } of node.entries) yield* [key, ...scalarsOf(value)];
}

function scalars(text: string): readonly YamlScalar[] {
  return parseText("f.yaml", text).documents.flatMap(({ root }) => [...scalarsOf(root)]);
}

/** A file, a piece of the text of its longest scalar, and what it stands for in the file. */
const places: readonly (readonly [name: string, file: string, piece: string, source?: string])[] = [
  ["plain", "a: one two", "two"],
  ["plain over lines", "a: one two\n  three four\n", "four"],
  ["plain, the line end itself", "a: one two\n  three", "two three", "two\n  three"],
  ["plain with a blank line", "a: one two\n\n\n   three", "three"],
  ["plain with blanks before the line end", "a: one two  \t\n   three", "three"],
  ["plain in a flow list over lines", "a: [one,\n two\n  three four]", "four"],
  ["plain behind a tag", "a: !!str one two", "two"],
  ["plain behind an anchor", "a: &x one two", "two"],
  ["single quotes", "a: 'one two'", "two"],
  ["single quotes with an escape before", "a: 'it''s two'", "two"],
  ["single quotes, the escape itself", "a: 'it''s two'", "t's", "t''s"],
  ["single quotes over lines", "a: 'one two \n\n   three four'", "four"],
  ["single quotes with blanks inside", "a: '  two  '", "two"],
  ["double quotes", 'a: "one two"', "two"],
  ["double quotes with escapes before", 'a: "\\"\\u0041\\x42\\t\\/\\\\ two"', "two"],
  ["double quotes, a pair of surrogates by escapes", 'a: "\\ud83d\\ude00 \\U0001F600 two"', "two"],
  ["double quotes, the escape itself", 'a: "one \\"two\\" three"', '"two"', '\\"two\\"'],
  ["double quotes over lines", 'a: "one\n  two three\n\n  four"', "four"],
  ["double quotes with an escaped line end", 'a: "one \\\n   two"', "one two", "one \\\n   two"],
  ["double quotes with an escaped line end and a blank line", 'a: "one\\\n\n   two"', "two"],
  ["double quotes with an escaped blank at the line end", 'a: "one\\ \n   two"', "two"],
  ["double quotes behind a tag", 'a: !!str "one two"', "two"],
  ["literal", "a: |\n  one\n  two three\n", "three"],
  ["literal, indented more", "a: |\n  one\n    two three\n", "three"],
  ["literal with blank lines", "a: |\n\n\n  one\n\n  two\n", "two"],
  ["literal that keeps", "a: |+\n  one\n  two\n\n\nb: c\n", "two"],
  ["literal that strips", "a: |-\n  one\n  two\n\n\nb: c\n", "two"],
  ["literal with an indentation", "b:\n  a: |2\n      one\n    two\n", "two"],
  ["literal with an indentation, then chomping", "b:\n  a: |1-\n      one\n    two\n", "two"],
  ["literal with a comment in its header", "a: | # why\n  one\n  two\n", "two"],
  ["literal without a line end", "a: |\n  one\n  two", "two"],
  ["literal in a list", "- - |\n    one\n    two\n", "two"],
  ["literal behind a tag and an anchor", "a: !!str &x |\n  one\n  two\n", "two"],
  ["literal with Windows line ends", "a: |\r\n  one\r\n  two three\r\n", "three"],
  ["folded", "a: >\n  one\n  two three\n", "three"],
  ["folded, the line end itself", "a: >\n  one\n  two three\n", "one two", "one\n  two"],
  ["folded with blank lines", "a: >\n\n  one\n\n\n  two\n", "two"],
  ["folded with a line that is indented more", "a: >-\n  one\n    two\n    three\n  four five\n", "five"],
  ["folded with blank lines about such lines", "a: >-\n  one\n\n    two\n\n  three\n", "three"],
  ["folded with Windows line ends", "a: >\r\n  one\r\n  two\r\n\r\n  three\r\n", "three"],
  ["folded quotes with Windows line ends", 'a: "one\r\n  two\r\n\r\n  three"\r\n', "three"],
  ["beyond the basic plane", "a: |\n  \u{1F600} one\n  two\n", "two"],
];

for (const [name, file, piece, source = piece] of places) {
  test(`a piece of a text stands where it was written: ${name}`, () => {
    const scalar = scalars(file).toSorted((a, b) => b.text.length - a.text.length)[0]!;
    const start = scalar.text.indexOf(piece);
    assert.notEqual(start, -1, JSON.stringify(scalar.text));
    const runs = scalarRuns(file, scalar);
    assert.ok(runs !== undefined, JSON.stringify(scalar));
    const span = spanOfRange(runs, start, start + piece.length);
    assert.equal(file.slice(span.start, span.end), source);
    const nothing = spanOfRange(runs, start, start);
    assert.deepEqual(nothing, { start: span.start, end: span.start });
  });
}

test("behind the text is its end", () => {
  const file = "a: |-\n  one\n\n";
  const runs = scalarRuns(file, scalars(file)[1]!)!;
  assert.deepEqual(spanOfRange(runs, 3, 3), { start: 11, end: 11 });
  assert.deepEqual(spanOfRange(runs, 2, 99), { start: 10, end: 11 });
});

test("a text that was not read from there has no places", () => {
  const file = "a: one";
  const scalar = scalars(file)[1]!;
  assert.ok(scalarRuns(file, scalar));
  assert.equal(scalarRuns(file, { ...scalar, text: "two" }), undefined);
  assert.equal(scalarRuns("a: two", scalar), undefined);
});

const seed = testSeed("scalar runs");

/** Every scalar of a document has its places, whichever reader read it, and they ascend. */
function everywhere(text: string): void {
  if (!decodeText("f.yaml", new TextEncoder().encode(text)).ok) return;
  const all = [...parseText("f.yaml", text).documents, ...readWithLibrary("f.yaml", text).documents];
  for (const scalar of all.flatMap(({ root }) => [...scalarsOf(root)])) {
    // A value that was not written has the place of its key; of blanks alone nobody asks.
    if (scalar.text.trim() === "") continue;
    const runs = scalarRuns(text, scalar);
    assert.ok(runs !== undefined, JSON.stringify([text, scalar]));
    let at = 0;
    let source = 0;
    for (const run of runs) {
      assert.equal(run.at, at);
      assert.ok(run.source >= source);
      at += run.length;
      source = run.source + run.sourceLength;
    }
    for (let i = 0; i < scalar.text.length; i++) {
      const span = spanOfRange(runs, i, i + 1);
      const read = scalar.text.charAt(i);
      if (/[a-z0-9]/.test(read) && !text.slice(scalar.span.start, scalar.span.end).includes("\\")) {
        assert.equal(text.slice(span.start, span.end), read);
      }
    }
  }
}

for (const [name, texts, runs] of [
  ["ordinary documents", ordinaryYaml, 100],
  ["mutated documents", mutated(ordinaryYaml), 400],
  ["documents with Windows line ends", ordinaryYaml.map((text) => text.replaceAll("\n", "\r\n")), 50],
  ["pieces of YAML", yamlishText, 3_000],
] as const) {
  test(`${name}: every text has its places`, () => {
    fc.assert(fc.property(texts, everywhere), { seed, numRuns: runs });
  });
}
