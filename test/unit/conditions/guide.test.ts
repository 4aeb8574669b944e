import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { compileCondition, compileValue } from "#policy-compiler/conditions/compile";

const guide = readFileSync(new URL("../../../docs/conditions.md", import.meta.url), "utf8");

describe("the guide to conditions", () => {
  const blocks = [...guide.matchAll(/```cel\n(.*?)```/gs)].flatMap(([, block]) => block!.trim().split("\n"));
  const cells = [...guide.matchAll(/^\| [^`|]+ \| `([^`]+)` \|$/gm)].map(([, cell]) => cell!);

  it("has examples", () => assert.ok(blocks.length >= 8 && cells.length >= 7, `${blocks.length}, ${cells.length}`));

  for (const text of [...blocks, ...cells]) {
    it(`compiles ${text}`, () => {
      const place = { beforeTokens: false };
      assert.ok(compileCondition(text, place).ok || compileValue(text, place).ok, text);
    });
  }
});
