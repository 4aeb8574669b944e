import assert from "node:assert/strict";
import { test } from "node:test";
import { finish } from "#policy-compiler/ruleset/steps";
import { ByteReader } from "#policy-compiler/ruleset/wire/byte-reader";
import { StringTable, StringTableWriter } from "#policy-compiler/ruleset/wire/string-table";

const long = [8191, 8192, 8193, 20_000];
const texts: readonly string[] = [
  "",
  ...Array.from({ length: 5_000 }, (_, i) => `text-${i}`),
  ...long.map((length) => "a".repeat(length)),
  "between",
  ...long.map((length) => "\u00e9\u0000\u00ff".repeat(length).slice(0, length)),
  ...long.map((length) => "\u4e16\ud800x".repeat(length).slice(0, length)),
  "\ufeffmark",
  "last",
];

test("texts of any length and width come back, wherever a run ends", () => {
  const writer = new StringTableWriter();
  const numbers = texts.map((text) => writer.text(text));
  const table = finish(StringTable.read(new ByteReader(writer.toBytes())));
  texts.forEach((text, i) => {
    assert.ok(table.text(numbers[i]!) === text, `text ${i}, ${text.length} long`);
  });
  assert.throws(() => table.text(2 * texts.length), /not in the table/);
});
