import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const module = fileURLToPath(new URL("../../../platform/heap.ts", import.meta.url));

/** What a program that sets our options of V8 writes to its error output: V8 complains there of what it does not know. */
function complaints(program: string): string {
  const source = `import * as heap from ${JSON.stringify(module)}; ${program}`;
  const ran = spawnSync(process.execPath, ["--input-type=module", "--eval", source], { encoding: "utf8" });
  assert.equal(ran.status, 0, ran.stderr);
  return ran.stderr;
}

test("V8 knows the options that are set", () => {
  assert.equal(
    complaints("heap.keepRequestsYoung(); heap.keepHeapSmall(); await heap.collectingOften(async () => {});"),
    "",
  );
  assert.notEqual(
    complaints('import { setFlagsFromString } from "node:v8"; setFlagsFromString("--no-such-option");'),
    "",
  );
});

test("work that fails fails, and what it returns is returned", () => {
  const program = `
    import assert from "node:assert/strict";
    assert.equal(await heap.collectingOften(async () => 7), 7);
    await assert.rejects(heap.collectingOften(async () => { throw new Error("no"); }), /no/);`;
  assert.equal(complaints(program), "");
});
