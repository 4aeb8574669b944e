import assert from "node:assert/strict";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import type { StatusShape } from "#ca/transport/http/shapes";
import { ServiceRefusal } from "#cli/ca/refusal";
import { checkRecord } from "#test/support/ca/chaos/check-record";
import { Fleet } from "#test/support/ca/chaos/fleet";
import { makeMesh } from "#test/support/ca/chaos/mesh";
import { serveProgram } from "#test/support/ca/chaos/serve-program";
import { type SmallDisk, smallDisk } from "#test/support/ca/chaos/small-disk";
import { until } from "#test/support/ca/chaos/until";

/** What hangs fails. */
const limited = { timeout: 120_000 };

/** A service whose store is on the disk, and machines that ask it all the time. */
async function onDisk(t: TestContext, disk: SmallDisk) {
  const mesh = await makeMesh(t, { store: join(disk.folder, "state", "ca.sqlite") });
  const served = await serveProgram(t, mesh);
  const fleet = new Fleet(mesh, served);
  const own = await fleet.join(await fleet.newToken("web"));
  const token = await fleet.newToken("web");
  assert.equal(await fleet.serving(), true);
  return { mesh, served, fleet, own, token };
}

const isRefused = (fault: unknown): boolean =>
  fault instanceof ServiceRefusal && fault.status === 503 && fault.code === "store/unavailable";

/** Clients that ask on and on: each answer is a certificate, or that no record can be kept now. */
function askOn(fleet: Fleet, own: Awaited<ReturnType<Fleet["join"]>>) {
  let busy = true;
  const refusals = { number: 0 };
  const repeat = async (one: () => Promise<unknown>, expected: (fault: unknown) => boolean) => {
    while (busy) {
      await one().catch((fault: unknown) => {
        assert.ok(expected(fault), String(fault));
        refusals.number++;
      });
    }
  };
  const done = Promise.all([
    repeat(() => fleet.operate("web"), isRefused),
    repeat(() => fleet.operate("web"), isRefused),
    repeat(
      () => fleet.renew(own),
      (fault) => Reflect.get(Object(fault), "code") === 14,
    ),
  ]);
  done.catch(() => undefined);
  return {
    refusals,
    async stop() {
      busy = false;
      await done;
    },
  };
}

/** Nothing is handed out, and everybody is told so. */
async function assertHindered(fleet: Fleet, token: Parameters<Fleet["join"]>[0], fault: RegExp): Promise<void> {
  const before = fleet.held.length;
  await assert.rejects(fleet.join(token), { code: 14 });
  await assert.rejects(fleet.operate("web"), isRefused);
  assert.equal(fleet.held.length, before);
  assert.equal(await fleet.serving(), false);
  const status = (await fleet.admin.get("/v1/ca/status")) as StatusShape;
  assert.match(status.store.fault ?? "", fault);
  assert.match(status.warnings.join("\n"), /nothing can be issued, for no record can be kept: /);
  // What only reads goes on.
  assert.equal(
    ((await fleet.admin.get(`/v1/ca/certificates/${fleet.held[0]!.serial}`)) as { state: string }).state,
    "issued",
  );
}

test(
  "a full disk: nothing is handed out, health and status tell, and it goes on by itself when there is room",
  limited,
  async (t) => {
    const disk = smallDisk(t, "tmpfs", 8);
    if (disk === undefined) return;
    const { mesh, served, fleet, own, token } = await onDisk(t, disk);
    for (let round = 0; round < 2; round++) {
      const asking = askOn(fleet, own);
      await until(t, async () => fleet.held.length > 20 * (round + 1));
      const empty = disk.fill();
      await until(t, async () => asking.refusals.number > 20);
      await asking.stop();
      await assertHindered(fleet, token, /no room is left for the database/);
      assert.equal((await mesh.own("status")).status, 0);
      empty();
      // Nobody asks meanwhile: whoever looks at the health check stays away until it says otherwise.
      await until(t, () => fleet.serving());
      await fleet.operate("web");
    }
    await until(t, async () => ((await fleet.admin.get("/v1/ca/status")) as StatusShape).store.unfinished === 0);
    await fleet.join(token);
    await fleet.renew(own);
    await checkRecord(fleet);
    assert.deepEqual(
      served
        .lines()
        .filter(
          ({ level, msg }) =>
            level === "error" && !/^(?:the store cannot write|the audit log cannot be sealed)$/.test(String(msg)),
        ),
      [],
    );
    assert.equal(served.said("the store cannot write").length, 2);
    assert.equal(served.said("the store can write again").length, 2);
    await served.stop();
    const audited = await mesh.own("audit", "verify", mesh.store);
    assert.equal(audited.status, 0, audited.out);
  },
);

test(
  "a full disk: killed and started in it, the service says why it does not start, and starts when there is room",
  limited,
  async (t) => {
    const disk = smallDisk(t, "tmpfs", 8);
    if (disk === undefined) return;
    const { mesh, served, fleet, own, token } = await onDisk(t, disk);
    const asking = askOn(fleet, own);
    const empty = disk.fill();
    await until(t, async () => asking.refusals.number > 20);
    await asking.stop();
    await served.kill();
    await assert.rejects(
      serveProgram(t, mesh),
      /ended with 1: [\s\S]*no room is left for the database.*\[ca-store\/full\]/,
    );
    empty();
    const again = await serveProgram(t, mesh);
    fleet.follow(again);
    await fleet.join(token);
    await fleet.renew(own);
    await checkRecord(fleet);
    await again.stop();
  },
);

test(
  "a disk that has become read-only: nothing is handed out, and what was is on record when it is mounted anew",
  limited,
  async (t) => {
    const disk = smallDisk(t, "ext4", 24);
    if (disk === undefined) return;
    const { mesh, served, fleet, own, token } = await onDisk(t, disk);
    const asking = askOn(fleet, own);
    await until(t, async () => fleet.held.length > 20);
    disk.abort();
    await until(t, async () => asking.refusals.number > 20);
    await asking.stop();
    await assertHindered(fleet, token, /the database cannot be read or written/);
    await served.stop();
    disk.unmount();
    disk.mount();
    const again = await serveProgram(t, mesh);
    fleet.follow(again);
    await fleet.join(token);
    await fleet.renew(own);
    await checkRecord(fleet);
    await again.stop();
  },
);
