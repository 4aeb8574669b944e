import { equal, ok } from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { createCaseRunner } from "#test/support/cases/answer-case";
import { differences, wantedOf } from "#test/support/cases/compare-answers";
import { readCases } from "#test/support/cases/read-cases";

/**
 * Every case under `test/cases/`: those recorded from a real Envoy whose listener a real istiod generated, and those written
 * by hand.
 */
const root = join(import.meta.dirname, "../cases");
const shownDifferences = 20;

for (const file of caseFiles()) {
  test(file, async (t) => {
    const runner = createCaseRunner();
    t.after(() => runner.stop());
    const wrong: string[] = [];
    let compared = 0;
    for await (const read of readCases(join(root, file))) {
      const wanted = wantedOf(read);
      if (wanted === undefined) continue;
      compared++;
      const found = differences(wanted, await runner.answer(read));
      if (found.length > 0) wrong.push(`${read.case.name}: ${JSON.stringify(found)}`);
    }
    ok(compared > 0, "the file has no case to compare");
    equal(wrong.length, 0, `${wrong.length} of ${compared} differ:\n${wrong.slice(0, shownDifferences).join("\n")}`);
  });
}

function caseFiles(): readonly string[] {
  const files = readdirSync(root, { recursive: true, encoding: "utf8" });
  return files.filter((file) => /\.jsonl(\.gz)?$/.test(file)).sort();
}
