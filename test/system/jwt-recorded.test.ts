import { equal, ok } from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { differences, wantedOf } from "#test/support/cases/compare-answers";
import { type ReadCase, readCases } from "#test/support/cases/read-cases";
import { envoyOrSkip } from "#test/support/envoy/find-envoy";
import { recordCases } from "#test/support/jwt-authn/record";
import { withStandingClock } from "#test/support/jwt-authn/standing-clock";

/**
 * Proves the oracle of `test/envoy/jwt-authn.test.ts`: cases that were recorded behind a listener of a real istiod come out the same
 * behind the listeners that are written here. Their tokens have long ended, so that Envoy's clock stands at their time.
 */
const recordedCases = join(import.meta.dirname, "../cases/recorded");
const files: readonly (readonly [file: string, prefix: string])[] = [
  ["jwt.jsonl.gz", ""],
  ["kinds.jsonl.gz", "kinds-jwksuri-"],
];

for (const [file, prefix] of files) {
  test(`the oracle answers ${prefix || file} as it was recorded`, async (t) => {
    const binary = await envoyOrSkip(t);
    if (binary === undefined) return;
    const byTime = new Map<number, (ReadCase & { type: "request" })[]>();
    for await (const read of readCases(join(recordedCases, file))) {
      if (read.type !== "request" || !read.case.name.startsWith(prefix)) continue;
      const now = read.case.now ?? 0;
      byTime.set(now, [...(byTime.get(now) ?? []), read]);
    }
    ok(byTime.size > 0);
    const wrong: string[] = [];
    for (const [now, reads] of byTime) {
      const clocked = await withStandingClock(binary, now);
      t.after(() => clocked.remove());
      const recorded = await recordCases(clocked.binary, reads);
      for (const [i, { expect }] of recorded.entries()) {
        const read = reads[i]!;
        const decision = expect.decision === "config-error" ? "invalid" : expect.decision!;
        const found = differences(wantedOf(read)!, { ...expect, name: read.case.name, decision });
        if (found.length > 0) wrong.push(`${read.case.name}: ${JSON.stringify(found)}`);
      }
    }
    equal(wrong.length, 0, wrong.slice(0, 10).join("\n"));
  });
}
