import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { atOnce } from "#test/support/ca/chaos/at-once";
import { checkRecord } from "#test/support/ca/chaos/check-record";
import { Fleet, type Held, type HeldToken } from "#test/support/ca/chaos/fleet";
import { makeMesh } from "#test/support/ca/chaos/mesh";
import { serveProgram } from "#test/support/ca/chaos/serve-program";
import { Random, testSeed } from "#test/support/random";
import { until } from "#test/support/until";

/** Of each half: two services, each with its machines, are killed at the same time. */
const kills = process.env["GARITA_LONG"] === "1" ? 150 : 6;
const joinersPerRun = 4;
/** After fewer certificates than these, and then within so long, the service dies. */
const mostGiven = 100;
const longestLifeMillis = 50;

const seed = testSeed("random kills");

/** A machine that joins, and from then on renews, until nobody answers. Tells of each certificate that it was given. */
async function live(fleet: Fleet, token: HeldToken, onGiven: () => void): Promise<void> {
  try {
    let own: Held = await fleet.join(token);
    for (;;) {
      onGiven();
      own = await fleet.renew(own);
    }
  } catch {
    // What the record says of it is looked at afterwards; here somebody died.
  }
}

async function operate(fleet: Fleet, onGiven: () => void): Promise<void> {
  try {
    for (;;) {
      await fleet.operate("web");
      onGiven();
    }
  } catch {
    // As above.
  }
}

describe("killed at any instant", atOnce, () => {
  for (const half of ["one", "other"])
    test(`T9, T14, T16: killed at any instant under load: nothing is handed out unrecorded, no token used twice (the ${half} half)`, async (t) => {
      const random = new Random(half === "one" ? seed : ~seed);
      const mesh = await makeMesh(t);
      await (await serveProgram(t, mesh)).stop();
      let served = await serveProgram(t, mesh);
      const fleet = new Fleet(mesh, served);
      let abandoned = 0;
      let given = 0;
      for (let kill = 0; kill < kills; kill++) {
        const tokens = await Promise.all(Array.from({ length: joinersPerRun }, () => fleet.newToken("web")));
        const lastGiven = given + (kill === 0 ? 1 : random.below(mostGiven));
        const lifeMillis = random.below(longestLifeMillis);
        const more = () => void given++;
        const asking = [...tokens.map((token) => live(fleet, token, more)), operate(fleet, more), operate(fleet, more)];
        await until(() => given >= lastGiven);
        await wait(lifeMillis);
        await served.kill();
        await Promise.all(asking);

        served = await serveProgram(t, mesh);
        fleet.follow(served);
        const told = served
          .said("issuances that an earlier run had begun are marked as abandoned")
          .map((line) => Number(line["abandoned"]));
        const record = await checkRecord(fleet);
        assert.deepEqual(
          told,
          record.abandoned > abandoned ? [record.abandoned - abandoned] : [],
          `after ${lastGiven} certificates and ${lifeMillis} ms`,
        );
        abandoned = record.abandoned;
        // A machine whose answer was lost asks again: its token is either used, or as good as before.
        for (const token of tokens) {
          const isUsed = record.certificates.some(({ evidence }) => evidence === token.hash);
          if (isUsed) await assert.rejects(fleet.join(token), { code: 16 });
          else await fleet.join(token);
        }
      }
      const { certificates } = await checkRecord(fleet);
      const issued = certificates.filter(({ state }) => state === "issued").length;
      console.log(`${kills} kills: ${given} given, ${issued} issued, ${abandoned} abandoned`);
      await served.stop();
      const audited = await mesh.own("audit", "verify", mesh.store);
      assert.equal(audited.status, 0, audited.out);
    });
});
