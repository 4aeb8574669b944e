import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { generatedDocs } from "#tools/docs";

for (const [path, text] of generatedDocs()) {
  test(`${path} is what \`npm run docs\` writes`, () => {
    assert.equal(readFileSync(new URL(`../../../${path}`, import.meta.url), "utf8"), text);
  });
}
