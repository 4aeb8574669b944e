import assert from "node:assert/strict";
import { test } from "node:test";
import { diagnose } from "#policy-compiler/source/diagnose";
import type { Finding } from "#policy-compiler/source/diagnostic";
import { LineTable, LineTables } from "#policy-compiler/source/locate";
import { renderDiagnostic } from "#policy-compiler/source/render";

test("offsets become lines and columns that count from one", () => {
  const table = new LineTable("ab\r\nc\n\nd");
  const places = [0, 1, 3, 4, 5, 6, 7, 8, 99, -1].map((offset) => table.locate(offset));
  assert.deepEqual(
    places.map(({ line, column }) => `${line}:${column}`),
    ["1:1", "1:2", "1:4", "2:1", "2:2", "3:1", "4:1", "4:2", "4:2", "1:1"],
  );
  assert.deepEqual(
    [1, 2, 3, 4, 5].map((line) => table.line(line)),
    ["ab", "c", "", "d", ""],
  );
});

test("diagnostics stand in order of file and place, each with the severity of its code", () => {
  const texts = new Map([["a", "x\ny\n"]]);
  const finding = (file: string, start: number, code: Finding["code"]): Finding => ({
    code,
    message: "m",
    file,
    span: { start, end: start + 1 },
  });
  const diagnostics = diagnose(
    [finding("b", 0, "yaml/syntax"), finding("a", 2, "document/no-kind"), finding("a", 0, "document/unfamiliar-kind")],
    new LineTables(texts),
  );
  assert.deepEqual(
    diagnostics.map(({ file, start, end, severity }) => [file, start.line, start.column, end.column, severity]),
    [
      ["a", 1, 1, 2, "warning"],
      ["a", 2, 1, 2, "note"],
      ["b", 1, 1, 1, "error"],
    ],
  );
});

function render(text: string, start: number, end: number, help?: string): string {
  const finding: Finding = {
    code: "yaml/syntax",
    message: "expected `a`, found `b`",
    file: "d/f.yaml",
    span: { start, end },
  };
  const [diagnostic] = diagnose(
    [help === undefined ? finding : { ...finding, help }],
    new LineTables(new Map([["d/f.yaml", text]])),
  );
  return renderDiagnostic(diagnostic!, text);
}

test("an excerpt with a caret under the place, and the help", () => {
  const text = `${"\n".repeat(9)}key: value # note\n`;
  assert.equal(
    render(text, 14, 19, "write `a`"),
    [
      "d/f.yaml:10:6: error[yaml/syntax]: expected `a`, found `b`",
      "   |",
      "10 | key: value # note",
      "   |      ^^^^^",
      "   = help: write `a`",
    ].join("\n"),
  );
});

test("a span over several lines is underlined to the end of its first", () => {
  assert.deepEqual(render("a:\n- b\n", 0, 6).split("\n").slice(2), ["1 | a:", "  | ^^"]);
});

test("an empty span has one caret", () => {
  assert.deepEqual(render("ab\n", 2, 2).split("\n").slice(2), ["1 | ab", "  |   ^"]);
});

test("of a very long line a window is shown, and the caret stays under the place", () => {
  const lines = render(`${"x".repeat(5_000)}HERE${"y".repeat(5_000)}`, 5_000, 5_004).split("\n");
  assert.ok(lines.every((line) => line.length < 200));
  const at = lines[2]!.indexOf("HERE");
  assert.ok(at > 0);
  assert.equal(lines[3]!.indexOf("^^^^"), at);
});

test("nothing of a file reaches a terminal as a control character", () => {
  const rendered = render("\ta\u202eb\u001b[31m\n", 1, 2);
  assert.match(rendered, /^[\n\x20-\x7e\ufffd]*$/);
  assert.equal(rendered.split("\n")[3], "  |  ^");
});

test("without a text there is no excerpt", () => {
  const [diagnostic] = diagnose(
    [{ code: "yaml/encoding", message: "m", file: "f", span: { start: 0, end: 0 } }],
    new LineTables(new Map()),
  );
  assert.equal(renderDiagnostic(diagnostic!, undefined), "f:1:1: error[yaml/encoding]: m");
});

test("secret members of a key set in an excerpt are hidden, and the caret stays under its place", () => {
  const lines = [
    `jwks: '{"keys":[{"kty":"oct","k":"c2VjcmV0LXNlY3JldA","kid":"a"}]}'`,
    'jwks: "{\\"keys\\":[{\\"kty\\":\\"EC\\",\\"d\\":\\"c2VjcmV0LXNlY3JldA\\",\\"x\\":\\"cHVibGlj\\"}]}"',
    `  "d" : "c2VjcmV0LXNlY3JldA",`,
  ];
  for (const line of lines) {
    const at = line.indexOf("c2Vj");
    const place = { line: 1, column: at + 1, offset: at };
    const diagnostic = {
      code: "lint/selects-nothing" as const,
      severity: "warning" as const,
      file: "a.yaml",
      start: place,
      end: { ...place, column: at + 5 },
      message: "m",
    };
    const shown = renderDiagnostic(diagnostic as unknown as Parameters<typeof renderDiagnostic>[0], line);
    assert.ok(!shown.includes("c2Vj"), shown);
    const [, , excerpt, carets] = shown.split("\n");
    assert.equal(excerpt?.length, line.length + "1 | ".length);
    assert.equal(carets?.indexOf("^"), at + "1 | ".length);
    assert.ok(!line.includes("cHVibGlj") || shown.includes("cHVibGlj"), "public members are shown");
  }
});
