import { equal, match } from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createCaseRunner } from "../cases/answer-case.ts";
import { differencesFromEnvoy } from "./differences.ts";
import type { GeneratedCase } from "./generate.ts";
import { recordCases } from "./record.ts";

const shownDifferences = 10;
const shownCharacters = 1000;

/**
 * Asserts that Garita answers every case as the given Envoy does. Gives the part of the cases that came through, from 0 to 1. Cases that differ are written to a file of cases, because their signatures cannot be made again from the seed.
 */
export async function compareWithEnvoy(binary: string, cases: readonly GeneratedCase[]): Promise<number> {
  const recorded = await recordCases(binary, cases);
  const runner = createCaseRunner();
  const wrong: string[] = [];
  const lines: string[] = [];
  try {
    for (const [i, generated] of cases.entries()) {
      const envoy = recorded[i]!;
      // Nothing but keys that no token could be verified with may keep a listener from being there.
      if (envoy.expect.decision === "config-error") match(envoy.expect.details ?? "", /invalid local jwks/);
      const answer = await runner.answer({ type: "request", case: generated.case, setting: generated.setting });
      const found = differencesFromEnvoy(generated, envoy, answer);
      if (found.length === 0) continue;
      wrong.push(`${generated.case.name} (${generated.stories.join(", ")}): ${JSON.stringify(found)}`);
      lines.push(JSON.stringify(generated.setting), JSON.stringify({ ...generated.case, expect: envoy.expect }));
    }
  } finally {
    await runner.stop();
  }
  const file = lines.length === 0 ? "" : await keep(lines);
  const shown = wrong.slice(0, shownDifferences).map((line) => line.slice(0, shownCharacters));
  equal(wrong.length, 0, `${wrong.length} of ${cases.length} differ ${file}\n${shown.join("\n")}`);
  return recorded.filter(({ expect }) => expect.decision === "allow").length / cases.length;
}

async function keep(lines: readonly string[]): Promise<string> {
  const file = join(tmpdir(), `garita-jwt-authn-${process.pid}.jsonl`);
  await writeFile(file, lines.map((line) => `${line}\n`).join(""));
  return `(they stand in ${file})`;
}
