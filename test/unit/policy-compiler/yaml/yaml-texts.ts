import fc from "fast-check";

/** Pieces that YAML text is made of, the dangerous ones among them. */
const pieces = [
  ..."abk01-:?[]{},#&*!|>'\"%@`~ \\=<",
  "\n",
  "\n",
  "\n  ",
  "\n    ",
  "\n- ",
  "\n  - ",
  "a: ",
  "b: ",
  '"c": ',
  "'d': ",
  "key: value\n",
  "  ",
  ": ",
  " #",
  "# note\n",
  "- ",
  "- - ",
  "[a, b]",
  "{a: b}",
  '{"a":1}',
  '["x", "y"]',
  "'it''s'",
  '"\\u0041\\n"',
  '"\\x41"',
  "yes",
  "null",
  "010",
  "1.5",
  "8080: ",
  "<<: ",
  "\n---\n",
  "--- ",
  "\n...\n",
  "&x ",
  "*x",
  "!!str ",
  "|\n",
  ">-\n",
  "\t",
  "\r\n",
  "é",
  "a b",
  "x:y",
  "http://h/p",
  "/api/*",
  "*.com",
];

/** Text that may or may not be YAML. */
export const yamlishText = fc
  .array(fc.constantFrom(...pieces), { maxLength: 30, size: "max" })
  .map((chosen) => chosen.join(""));

const scalar = fc.constantFrom(
  "GET",
  '"/api/*"',
  "'*'",
  "8080",
  '"8080"',
  "cluster.local/ns/a/sa/b",
  "true",
  "a b c",
  "null",
  "request.headers[x-a]",
  '"esc\\"aped\\n"',
  "10.0.0.0/8",
  "x # note",
  "",
);

/** Lines of a block document of mappings and sequences, whose every line is indented by its place. */
const block: (depth: number) => fc.Arbitrary<readonly string[]> = fc.memo((depth) => {
  const value =
    depth <= 1
      ? fc.constant<readonly string[] | undefined>(undefined)
      : fc.option(block(depth - 1), { nil: undefined });
  const indented = (lines: readonly string[], by: string) => lines.map((line) => by + line);
  const item = fc
    .tuple(scalar, value, fc.constantFrom("", "  ", "    "))
    .map(([text, nested, by]) => ({ text, nested, by }));
  const mapping = fc
    .uniqueArray(fc.tuple(fc.constantFrom("a", "b", "name", "spec", "rules", '"q"', "8080"), item), {
      minLength: 1,
      maxLength: 4,
      selector: ([key]) => key,
    })
    .map((entries) =>
      entries.flatMap(([key, { text, nested, by }]) =>
        nested === undefined
          ? [`${key}: ${text}`]
          : [`${key}:`, ...indented(nested, by === "" && !nested[0]!.startsWith("- ") ? "  " : by)],
      ),
    );
  const sequence = fc
    .array(item, { minLength: 1, maxLength: 4 })
    .map((items) =>
      items.flatMap(({ text, nested }) =>
        nested === undefined
          ? [`- ${text === "" ? "x" : text}`]
          : nested.map((line, index) => (index === 0 ? `- ${line}` : `  ${line}`)),
      ),
    );
  return fc.oneof(mapping, sequence);
});

/** A stream of well-formed documents in the ordinary style. */
export const ordinaryYaml = fc
  .array(block(3), { minLength: 1, maxLength: 3 })
  .map((documents) => documents.map((lines) => `${lines.join("\n")}\n`).join("---\n"));

/** Text with a few pieces inserted, removed and doubled. */
export function mutated(texts: fc.Arbitrary<string>): fc.Arbitrary<string> {
  const edit = fc.record({
    at: fc.nat(),
    remove: fc.nat({ max: 6 }),
    insert: fc.constantFrom("", ...pieces),
  });
  return fc.tuple(texts, fc.array(edit, { maxLength: 5 })).map(([text, edits]) =>
    edits.reduce((current, { at, remove, insert }) => {
      const place = current.length === 0 ? 0 : at % current.length;
      return current.slice(0, place) + insert + current.slice(place + remove);
    }, text),
  );
}
