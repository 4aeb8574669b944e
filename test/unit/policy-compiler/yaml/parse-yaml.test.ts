import assert from "node:assert/strict";
import { test } from "node:test";
import { parseYaml } from "#policy-compiler/yaml/parse-yaml";
import type { YamlNode } from "#policy-compiler/yaml/tree";

const encoder = new TextEncoder();
const parse = (content: string | Uint8Array) =>
  parseYaml({ path: "f.yaml", bytes: typeof content === "string" ? encoder.encode(content) : content });

/** The tree as JSON values; numbers whose text matters stand as written. */
function plain(node: YamlNode): unknown {
  switch (node.kind) {
    case "scalar":
      return node.value;
    case "sequence":
      return node.items.map(plain);
    case "mapping":
      return Object.fromEntries(node.entries.map(({ key, value }) => [key.text, plain(value)]));
    default:
      return node satisfies never;
  }
}

const readings: readonly (readonly [name: string, text: string, documents: readonly unknown[]])[] = [
  ["nothing", "", []],
  ["comments only", "# a\n\n# b\n", []],
  ["empty documents are no documents", "---\n---\nnull\n---\n~\n---\na: 1\n...\n", [{ a: 1 }]],
  ["several documents", "a: 1\n---\nb: 2\n--- # note\nc: 3\n", [{ a: 1 }, { b: 2 }, { c: 3 }]],
  ["a byte order mark", "\ufeffa: 1\n", [{ a: 1 }]],
  ["Windows line ends", "a: 1\r\nb:\r\n- x\r\n---\r\nc: 2\r\n", [{ a: 1, b: ["x"] }, { c: 2 }]],
  ["JSON", '{"a": [1, "x", {"b": null}], "c": "\\u00e9\\/"}', [{ a: [1, "x", { b: null }], c: "é/" }]],
  ["JSON over several lines", '{\n\t"a": [\n1,\n2\n]\n}\n', [{ a: [1, 2] }]],
  ["ports as keys keep their text", "8080: x\n", [{ "8080": "x" }]],
  ["an alias is what its anchor is", "a: &x [1]\nb: *x\n", [{ a: [1], b: [1] }]],
  ["the tags of text and collections", "a: !!str 80\nb: !!map {}\nc: !!seq []\n", [{ a: "80", b: {}, c: [] }]],
  ["block scalars", "a: |\n  x\n  y\nb: >-\n  x\n  y\n", [{ a: "x\ny\n", b: "x y" }]],
  [
    "YAML 1.2 scalars",
    "a: [0x1F, 0o17, 1e3, 1.50, -3, ~, Null, TRUE, t]\n",
    [{ a: [31, 15, 1000, 1.5, -3, null, null, true, "t"] }],
  ],
  ["a value that is not there", "a:\nb: 1\n", [{ a: null, b: 1 }]],
];

for (const [name, text, documents] of readings) {
  test(`read: ${name}`, () => {
    const parsed = parse(text);
    assert.deepEqual(parsed.findings, []);
    assert.deepEqual(
      parsed.documents.map(({ root }) => plain(root)),
      documents,
    );
  });
}

test("scalars of which YAML 1.1 thinks otherwise are marked", () => {
  const text = "[yes, No, on, OFF, y, N, 010, 0b11, 1_000, 0X1f, -0x1, yess, 0x1f, 08, 1:30, 'yes', 10]";
  const [document] = parse(`a: ${text}\n`).documents;
  const list = document?.root.kind === "mapping" ? document.root.entries[0]?.value : undefined;
  const marks =
    list?.kind === "sequence" ? list.items.map((item) => (item.kind === "scalar" ? item.elsewhere : "?")) : [];
  const boolean = "boolean";
  const number = "number";
  const same = undefined;
  assert.deepEqual(marks, [
    boolean,
    boolean,
    boolean,
    boolean,
    boolean,
    boolean,
    number,
    number,
    number,
    number,
    number,
    same,
    same,
    same,
    same,
    same,
    same,
  ]);
});

test("places are offsets into the text", () => {
  const text = "---\na: [b, 'c']\nd:\n- e\n";
  const [document] = parse(text).documents;
  assert.ok(document?.root.kind === "mapping");
  const [a, d] = document.root.entries;
  const written = (node: YamlNode) => text.slice(node.span.start, node.span.end);
  assert.equal(written(document.root), "a: [b, 'c']\nd:\n- e");
  assert.equal(written(a!.key), "a");
  assert.equal(written(a!.value), "[b, 'c']");
  assert.equal(written(d!.value), "- e");
});

const deep = (open: string, close: string, times: number) => open.repeat(times) + close.repeat(times);
const bomb = Array.from({ length: 9 }, (_, level) =>
  level === 0
    ? "a0: &a0 [x, x, x, x, x, x, x, x, x, x]"
    : `a${level}: &a${level} [${Array(10)
        .fill(`*a${level - 1}`)
        .join(", ")}]`,
).join("\n");
const utf8 = (...bytes: number[]) => Uint8Array.from([0x61, 0x3a, 0x20, ...bytes]);

/** What is refused: the codes, and the text under the first finding. */
const refusals: readonly (readonly [
  name: string,
  content: string | Uint8Array,
  codes: readonly string[],
  underlined?: string,
])[] = [
  ["an alias bomb", bomb, ["yaml/too-many-aliases"]],
  [
    "an alias bomb with one level",
    `a: &a [${"x, ".repeat(200)}]\nb: [${"*a, ".repeat(100)}]\n`,
    ["yaml/too-many-aliases"],
    "*a",
  ],
  ["a node that holds itself", "a: &a [*a]\n", ["yaml/unknown-alias"], "*a"],
  ["an alias without an anchor", "a: *b\n", ["yaml/unknown-alias"], "*b"],
  ["an anchor of another document", "a: &b 1\n---\na: *b\n", ["yaml/unknown-alias"], "*b"],
  ["flow sequences too deep", deep("[", "]", 101), ["yaml/too-deep"]],
  ["flow sequences far too deep", deep("[", "]", 100_000), ["yaml/too-deep"]],
  ["flow mappings far too deep", deep("{a: ", "}", 100_000), ["yaml/too-deep"]],
  ["block sequences far too deep", `${"- ".repeat(100_000)}x\n`, ["yaml/too-deep"]],
  ["explicit keys far too deep", `${"? ".repeat(100_000)}x\n`, ["yaml/too-deep"]],
  [
    "block mappings too deep",
    Array.from({ length: 300 }, (_, level) => `${" ".repeat(level)}a:`).join("\n"),
    ["yaml/too-deep"],
  ],
  ["unclosed brackets without end", "[".repeat(1_000_000), ["yaml/too-deep"]],
  ["unclosed quotes without end", `a: "${"x".repeat(1_000_000)}`, ["yaml/syntax"]],
  ["too many tokens in one document", "- é\n".repeat(200_000), ["yaml/too-large"]],
  ["too many documents", "a: b\n---\n".repeat(110_000), ["yaml/too-large"]],
  ["a file that is too large", new Uint8Array(20 * 1024 * 1024).fill(0x20), ["yaml/too-large"]],
  ["a key twice", "a: 1\nb: 2\na: 3\n", ["yaml/duplicate-key"], "a"],
  ["a key twice in JSON", '{"a": 1, "a": 2}', ["yaml/duplicate-key"], '"a"'],
  ["a key twice in two spellings", "a: 1\n'a': 2\n", ["yaml/duplicate-key"], "'a'"],
  ["a key twice, deep in a list", "x:\n- z: {a: 1, b: 2, a: 3}\n", ["yaml/duplicate-key"], "a"],
  [
    "one of very many keys twice",
    `${Array.from({ length: 50_000 }, (_, i) => `k${i}: 1\n`).join("")}k7: 2\n`,
    ["yaml/duplicate-key"],
    "k7",
  ],
  ["a merge key", "a: &a {b: 1}\nc:\n  <<: *a\n", ["yaml/merge-key"], "<<"],
  ["a tag of one's own", "a: !secret x\n", ["yaml/tag"]],
  ["a tag of binary data", "a: !!binary eA==\n", ["yaml/tag"]],
  ["the non-specific tag", "a: ! x\n", ["yaml/tag"]],
  ["a directive of version", "%YAML 1.1\n---\na: yes\n", ["yaml/directive"], "%YAML 1.1"],
  ["a directive in the middle", "a: 1\n...\n%TAG ! x:\n---\na: 1\n", ["yaml/directive"]],
  ["a boolean as key", "true: 1\n", ["yaml/key-not-text"], "true"],
  ["a boolean of YAML 1.1 as key", "on: 1\n", ["yaml/key-not-text"], "on"],
  ["a number as key that is none to everybody", "010: 1\n", ["yaml/key-not-text"], "010"],
  ["null as key", ": 1\n", ["yaml/key-not-text"]],
  ["a list as key", "? [a]\n: 1\n", ["yaml/key-not-text"]],
  ["an alias as key", "a: &x b\n*x : 1\n", ["yaml/key-not-text"]],
  ["a lone continuation byte", utf8(0x80), ["yaml/encoding"]],
  ["an overlong encoding", utf8(0xc0, 0xaf), ["yaml/encoding"]],
  ["half of a surrogate pair", utf8(0xed, 0xa0, 0x80), ["yaml/encoding"]],
  ["a sequence cut off", utf8(0xe2, 0x82), ["yaml/encoding"]],
  ["UTF-16", Uint8Array.from([0xff, 0xfe, 0x61, 0x00]), ["yaml/encoding"]],
  ["an anchor that ends early for YAML 1.1", "- &x:y\n", ["yaml/anchor"]],
  ["a document on its marker's line", "a: 1\n--- {b: 2}\n", ["yaml/document-marker"], "--- {b: 2}"],
  ["what only Kubernetes takes for a marker", 'a: "b\n---c"\n', ["yaml/document-marker"], '---c"'],
  ["NUL", "a: b\0\n", ["yaml/character"]],
  ["NUL by an escape", 'a: "\\0"\n', ["yaml/character"], '"\\0"'],
  ["half of a surrogate pair by an escape", 'a: "\\ud800"\n', ["yaml/character"]],
  ["an escape sequence of a terminal", "a: \u001b[31m\n", ["yaml/character"]],
  ["a carriage return alone", "a: 1 # x\rb: 2\n", ["yaml/character"]],
  ["a line separator that only YAML 1.1 knows", "a: 1 # x\u2028b: 2\n", ["yaml/character"]],
  ["a next line that only YAML 1.1 knows", "a: 1 # x\u0085b: 2\n", ["yaml/character"]],
  ["a byte order mark in the middle", "a: \ufeff1\n", ["yaml/character"]],
  ["bad indentation", "a:\n  b: 1\n c: 2\n", ["yaml/syntax"]],
  ["a tab for indentation", "a:\n\tb: 1\n", ["yaml/syntax"]],
  ["a mapping inside a plain scalar", "a: b: c\n", ["yaml/syntax"]],
];

for (const [name, content, codes, underlined] of refusals) {
  test(`refuse: ${name}`, () => {
    const parsed = parse(content);
    assert.deepEqual([...new Set(parsed.findings.map(({ code }) => code))], codes);
    const [first] = parsed.findings;
    if (underlined !== undefined) assert.equal(parsed.text?.slice(first?.span.start, first?.span.end), underlined);
    for (const { message } of parsed.findings) assert.match(message, /^[^A-Z\n][^\n]*[^.\n]$/);
  });
}

test("a hundred levels are not too deep", () => {
  assert.deepEqual(parse(deep("[", "]", 100)).findings, []);
});

test("a document with an error does not hide its neighbours", () => {
  const parsed = parse("a: 1\n---\nb: [\n---\nc: 3\n---\nd: 1\nd: 2\n");
  assert.deepEqual(
    parsed.documents.map(({ root }) => plain(root)),
    [{ a: 1 }, { c: 3 }],
  );
  assert.deepEqual(parsed.findings.map(({ code }) => code).toSorted(), ["yaml/duplicate-key", "yaml/syntax"]);
});
