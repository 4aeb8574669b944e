import assert from "node:assert/strict";
import { test } from "node:test";
import { createBuilder } from "#authz/rulesets/builder";
import { tempFolder } from "#test/support/service/temp-folder";

test("a builder that is closed ends what it builds, and begins nothing any more", async (t) => {
  const path = await tempFolder(t);
  const builder = createBuilder();
  t.after(builder.close);
  const building = builder.build({ kind: "directory", path });
  await builder.close();
  for (const built of [await building, await builder.build({ kind: "directory", path })]) {
    assert.deepEqual(built.kind === "failed" && built.code, "source/worker", built.kind);
  }
});
