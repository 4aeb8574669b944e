import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { simulateRotations } from "#test/support/ca/rotation/simulate-rotations";
import type { Breakage } from "#test/support/ca/rotation/simulated-authority";
import { testSeed } from "#test/support/random";

const seeds = process.env["GARITA_LONG"] === "1" ? 10 : 1;

describe("the root is replaced again and again under a mesh that is never still", () => {
  const first = testSeed("rotations");
  for (let i = 0; i < seeds; i++) {
    test(`ten years, 1,000 proxies, seed ${first + i}: at every instant every two live proxies can complete a handshake`, async () => {
      const result = await simulateRotations(first + i, { years: 10, proxies: 1_000 });
      console.log({ ...result, sequences: result.sequences.length });
      assert.deepEqual(result.violations.slice(0, 5), []);
      assert.ok(result.rotations >= 17, "roots were replaced");
      assert.ok(result.removed >= result.rotations - 2, "old roots left the bundle");
      assert.ok(result.verified > 10_000, "real certificates were verified");
      assert.ok(
        result.sequences.every((sequence, at, all) => at === 0 || sequence >= all[at - 1]!),
        "never back",
      );
    });
  }

  /** Each gate by itself is needed: without it proxies would have broken. */
  const breakages: Readonly<Record<string, Breakage>> = {
    "certificates in use are not looked at": { certificates: () => [] },
    "every stream is taken to have acknowledged": {
      streams: (streams, { trust }) => streams.map((stream) => ({ ...stream, acknowledged: trust.version })),
    },
    "certificates that carry the bundle are forgotten": {
      certificates: (all, { sequence }) => all.filter(({ bundleSequence }) => bundleSequence !== sequence),
    },
  };
  for (const [what, broken] of Object.entries(breakages)) {
    test(`the simulation notices when ${what}`, async () => {
      // With streams alone, and nobody away: where a certificate is waited for, those who refuse the bundle have thought better of it by then.
      const mesh =
        broken.streams === undefined
          ? { years: 2, proxies: 200 }
          : { years: 6, proxies: 60, agentsOfTen: 10, isCalm: true };
      const { violations } = await simulateRotations(first, { ...mesh, broken });
      assert.ok(violations.length > 0);
    });
  }
});
