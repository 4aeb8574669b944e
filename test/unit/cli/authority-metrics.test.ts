import assert from "node:assert/strict";
import { test } from "node:test";
import type { AuthorityStatusPage } from "#ca/service/contract";
import { addAuthorityMetrics } from "#cli/serve/authority/metrics";
import { createMetrics } from "#platform/metrics";

type Summary = Omit<AuthorityStatusPage, "store">;

/** What the metrics of a rotation say. */
async function shown(rotation: Summary["rotation"] | undefined): Promise<readonly string[]> {
  const metrics = createMetrics();
  const summary = { authorities: [], bundle: { sequence: 3, anchors: 1 }, rotation } as unknown as Summary;
  addAuthorityMetrics(metrics, () => (rotation === undefined ? undefined : summary));
  const { text } = await metrics.render();
  return text.split("\n").filter((line) => /^garita_ca_(root|outage)/.test(line));
}

test("a rotation is told by its state and who holds it up, an outage by how long nobody notices it", async () => {
  const moving = {
    state: "published",
    stragglers: 7,
    firstBreakMillis: 9,
    outageBudgetMillis: 34_860_000,
    warnings: [],
  } as const;
  assert.deepEqual(await shown(moving), [
    'garita_ca_root_rotation_state{state="published"} 1',
    "garita_ca_root_rotation_stragglers 7",
    "garita_ca_outage_budget_seconds 34860",
  ]);
});

test("where no root is on its way and no certificate is in use there is nothing to tell", async () => {
  const still = {
    state: undefined,
    stragglers: 0,
    firstBreakMillis: undefined,
    outageBudgetMillis: undefined,
    warnings: [],
  };
  assert.deepEqual(await shown(still), ["garita_ca_root_rotation_stragglers 0"]);
  assert.deepEqual(await shown(undefined), []);
});
