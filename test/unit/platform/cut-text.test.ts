import assert from "node:assert/strict";
import { test } from "node:test";
import { cutText } from "#platform/cut-text";

const cases: readonly (readonly [text: string, limitBytes: number, shown: string])[] = [
  ["", 10, ""],
  ["as it is", 10, "as it is"],
  ["two\r\nlines\u2028or three\0", 40, "two lines or three "],
  ["0123456789", 10, "0123456789"],
  ["0123456789a", 10, "0123456…"],
  ["ééééé", 10, "ééééé"],
  ["éééééé", 10, "ééé…"],
  ["a\ud800b", 10, "a\ufffdb"],
  ["😀😀😀", 8, "😀…"],
];

for (const [text, limitBytes, shown] of cases)
  test(`${JSON.stringify(text)} in ${limitBytes} bytes`, () => {
    const cut = cutText(text, limitBytes);
    assert.equal(cut, shown);
    assert.ok(Buffer.byteLength(cut) <= limitBytes);
  });

test("what is left out of a long text costs nothing", () => {
  const long = "\n".repeat(50_000_000);
  const begun = process.cpuUsage().user;
  for (let i = 0; i < 100; i++) assert.equal(cutText(`${i}${long}`.slice(0, long.length), 1024).at(-1), "…");
  assert.ok(process.cpuUsage().user - begun < 2_000_000);
});
