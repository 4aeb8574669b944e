import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { testSeed } from "#test/support/random";

const main = fileURLToPath(new URL("../../support/ca/fuzz-csr-main.ts", import.meta.url));
const count = process.env["GARITA_LONG"] === "1" ? 1_000_000 : 100_000;

test(`${count} mutated requests in a process of their own: typed refusals alone, no abort, no hang`, async () => {
  const seed = testSeed("mutated requests");
  // Fails for any exit but 0: a throw, a native abort, or the end of its time.
  const { stdout } = await promisify(execFile)(process.execPath, [main, String(seed), String(count)], {
    timeout: (count / 100_000) * 120_000,
  });
  const { outcomes, longestMillis }: { outcomes: Record<string, number>; longestMillis: number } = JSON.parse(stdout);
  console.log(JSON.stringify(outcomes), `longest ${longestMillis.toFixed(1)} ms`);
  assert.equal(
    Object.values(outcomes).reduce((a, b) => a + b),
    count,
  );
  const reached = ["csr/der", "csr/pem", "csr/shape", "csr/signature", "csr/signature-algorithm", "key/kind"];
  for (const code of reached) assert.ok((outcomes[code] ?? 0) > count / 2000, `${code} was hardly reached`);
  assert.ok((outcomes["a mutant that its key signed"] ?? 0) > 0, "nothing got through: the mutants prove little");
});
