import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";

/** What a program has of young heap, in MB, after much that it made has survived for a while. */
function youngMegabytes(before: string): number {
  const program = `
    import { getHeapSpaceStatistics } from "node:v8";
    import { boundYoungHeap } from "#platform/heap";
    ${before}
    const kept = [];
    for (let round = 0; round < 40; round++) {
      for (let i = 0; i < 100_000; i++) kept[(round * 100_000 + i) % 400_000] = { i, text: "x" + i };
      await new Promise(setImmediate);
    }
    const young = getHeapSpaceStatistics().find(({ space_name }) => space_name === "new_space");
    console.log(young.space_size / 2 ** 20);`;
  const args = ["--max-semi-space-size=64", "--input-type=module-typescript", "--eval", program];
  return Number(execFileSync(process.execPath, args, { cwd: new URL("../../../", import.meta.url) }));
}

test("a young heap that is bounded stays near 32 MB where it would have grown to four times as much", () => {
  const unbounded = youngMegabytes("");
  const bounded = youngMegabytes("boundYoungHeap();");
  assert.ok(unbounded > 100, `${unbounded} MB unbounded: the figure shows nothing`);
  assert.ok(bounded <= 64, `${bounded} MB`);
});
