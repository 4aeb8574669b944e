import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { atOnce } from "#test/support/ca/chaos/at-once";
import { checkRecord } from "#test/support/ca/chaos/check-record";
import { Fleet } from "#test/support/ca/chaos/fleet";
import { makeMesh } from "#test/support/ca/chaos/mesh";
import { serveProgram } from "#test/support/ca/chaos/serve-program";
import { program } from "#test/support/cli/run-cli";

describe("two processes on one store", atOnce, () => {
  test("T15: a second service on one store does not start and says why; the first does not notice, nor offline commands", async (t) => {
    const mesh = await makeMesh(t);
    const served = await serveProgram(t, mesh);
    const fleet = new Fleet(mesh, served);
    const own = await fleet.join(await fleet.newToken("web"));
    const backup = mesh.at("backup.sqlite");
    assert.equal((await mesh.own("backup", backup)).status, 0);
    let busy = true;
    const load = Promise.all(
      [1, 2].map(async () => {
        while (busy) {
          await fleet.operate("web");
          await wait(5);
        }
      }),
    );

    const inUse = /another program has the database open: one service uses it at a time .*\[ca-store\/locked\]\n/;
    await assert.rejects(serveProgram(t, mesh), ({ message }: Error) => {
      assert.match(message, /^ended with 1: /);
      assert.match(message, inUse);
      return true;
    });
    for (const args of [
      ["ca", "init", "-c", mesh.config],
      ["ca", "restore", backup, "-c", mesh.config],
    ]) {
      const ran = await program(args);
      assert.equal(ran.status, 1, args.join(" "));
      assert.match(ran.err, inUse);
    }
    // A copy of one moment is verified, although it is written all the time.
    for (let i = 0; i < 2; i++) {
      const audited = await mesh.own("audit", "verify", mesh.store);
      assert.equal(audited.status, 0, audited.out + audited.err);
    }
    busy = false;
    await load;
    await fleet.renew(own);
    await checkRecord(fleet);
    assert.deepEqual(
      served.lines().filter(({ level }) => level === "error"),
      [],
    );

    await served.kill();
    const audited = await mesh.own("audit", "verify", mesh.store);
    assert.equal(audited.status, 0, audited.out);
    const again = await serveProgram(t, mesh);
    fleet.follow(again);
    await fleet.renew(own);
    await checkRecord(fleet);
    await again.stop();
  });

  test("T15: of services that start at once on one store, one serves", async (t) => {
    const mesh = await makeMesh(t);
    for (let round = 0; round < (process.env["GARITA_LONG"] === "1" ? 20 : 1); round++) {
      const starts = await Promise.allSettled([1, 2, 3].map(() => serveProgram(t, mesh)));
      const served = starts.flatMap((start) => (start.status === "fulfilled" ? [start.value] : []));
      const faults = starts.flatMap((start) => (start.status === "rejected" ? [String(start.reason)] : []));
      assert.equal(served.length, 1, faults.join("\n"));
      for (const fault of faults) assert.match(fault, /ended with 1: [\s\S]*\[ca-store\/locked\]/);
      const fleet = new Fleet(mesh, served[0]!);
      await fleet.join(await fleet.newToken("web"));
      await checkRecord(fleet);
      await served[0]!.kill();
    }
  });
});
