import { equal, match, ok } from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { createAnswerCase } from "#test/support/cases/answer-case";
import { product } from "#test/support/cases/product";
import { envoyOrSkip } from "#test/support/envoy/find-envoy";
import { Random, runsFromEnvironment, seedFromEnvironment } from "#test/support/generate/random";
import { differencesFromEnvoy } from "#test/support/jwt-authn/differences";
import { generateCases } from "#test/support/jwt-authn/generate";
import { recordCases } from "#test/support/jwt-authn/record";

/**
 * Request authentication against the filters that Istio would have Envoy itself apply: the same generated policies, the same
 * requests with the same tokens, and everything that a client or an application sees of the answer has to be the same.
 */
const tokensPerRun = runsFromEnvironment(5000);
const shownDifferences = 10;

test("tokens mean to Garita what they mean to Envoy", async (t) => {
  const binary = await envoyOrSkip(t);
  if (binary === undefined) return;
  const cases = generateCases(new Random(seedFromEnvironment()), tokensPerRun, Math.floor(Date.now() / 1000));
  const recorded = await recordCases(binary, cases);
  const answerCase = createAnswerCase(product);
  const wrong: string[] = [];
  const lines: string[] = [];
  for (const [i, generated] of cases.entries()) {
    const envoy = recorded[i]!;
    // Nothing but keys that no token could be verified with may keep a listener from being there.
    if (envoy.expect.decision === "config-error") match(envoy.expect.details ?? "", /invalid local jwks/);
    const answer = await answerCase({ type: "request", case: generated.case, setting: generated.setting });
    const found = differencesFromEnvoy(generated, envoy, answer);
    if (found.length === 0) continue;
    wrong.push(`${generated.case.name} (${generated.stories.join(", ")}): ${JSON.stringify(found)}`);
    lines.push(JSON.stringify(generated.setting), JSON.stringify({ ...generated.case, expect: envoy.expect }));
  }
  const allowed = recorded.filter(({ expect }) => expect.decision === "allow").length;
  ok(allowed > cases.length / 3 && allowed < (cases.length * 2) / 3, `${allowed} of ${cases.length} came through`);
  equal(
    wrong.length,
    0,
    `${wrong.length} of ${cases.length} differ; ${await keep(lines)}\n${wrong.slice(0, shownDifferences).join("\n")}`,
  );
});

/** Writes the differing cases down, because their signatures cannot be made again from the seed. */
async function keep(lines: readonly string[]): Promise<string> {
  if (lines.length === 0) return "";
  const file = join(tmpdir(), `garita-jwt-authn-${process.pid}.jsonl`);
  await writeFile(file, lines.map((line) => `${line}\n`).join(""));
  return `they stand in ${file}`;
}
