import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { configDocs } from "#tools/config-docs";

for (const [path, text] of configDocs()) {
  test(`${path} is what \`npm run config-docs\` writes`, () => {
    assert.equal(readFileSync(new URL(`../../../../${path}`, import.meta.url), "utf8"), text);
  });
}
