import assert from "node:assert/strict";
import { rm, writeFile } from "node:fs/promises";
import { test } from "node:test";
import { openDatabase } from "#ca/store/sqlite/database";
import type { RotationShape } from "#ca/transport/http/root-shapes";
import { checkRecord } from "#test/support/ca/chaos/check-record";
import { Fleet } from "#test/support/ca/chaos/fleet";
import { type Mesh, makeMesh } from "#test/support/ca/chaos/mesh";
import { type AuthorityPoint, authorityPoints, pointFileVariable } from "#test/support/ca/chaos/points";
import { serveProgram } from "#test/support/ca/chaos/serve-program";
import { shiftFileVariable } from "#test/support/ca/chaos/shift-clock";
import { smallDisk } from "#test/support/ca/chaos/small-disk";
import { holdsOf, hour, issueFor, minute, rotationScene } from "#test/support/ca/rotation/rotation-scene";

const points: readonly AuthorityPoint[] =
  process.env["GARITA_LONG"] === "1" ? authorityPoints : ["authority-not-committed", "authority-committed"];
const preload = ["kill-hooks", "shift-clock"].map(
  (name) => new URL(`../../support/ca/chaos/${name}.ts`, import.meta.url),
);

/** States of roots as the database has them, and the changes of the bundle that they make. */
function rootsIn(file: string): { readonly states: readonly string[]; readonly changes: number } {
  const database = openDatabase({ file, maxSizeBytes: undefined });
  try {
    const rows = database.prepare("SELECT state FROM authorities WHERE role = 'root' ORDER BY number").all();
    const states = rows.map(({ state }) => String(state));
    const changes = { generated: 0, retired: 2 } as Readonly<Record<string, number>>;
    return { states, changes: states.reduce((sum, state) => sum + (changes[state] ?? 1), 0) };
  } finally {
    database.close();
  }
}

/** Time passes between one start and the next: what a clock says at the start is believed. */
async function shift(mesh: Mesh, millis: number): Promise<void> {
  await writeFile(mesh.at("shift"), String(millis));
}

test("T14, T17: killed at every change of a rotation, in it and after it, the program goes on; the sequence never goes back", async (t) => {
  const mesh = await makeMesh(t);
  const environment = { [pointFileVariable]: mesh.at("point"), [shiftFileVariable]: mesh.at("shift") };
  const serve = () => serveProgram(t, mesh, { preload, environment });
  let passed = 0;
  await shift(mesh, passed);
  let served = await serve();
  const fleet = new Fleet(mesh, served);
  const first = await fleet.join(await fleet.newToken("web"));
  const arm = (point: AuthorityPoint) => writeFile(mesh.at("point"), point);

  const seen: string[] = [];
  let changes = 0;
  const look = () => {
    const { states, changes: now } = rootsIn(mesh.store);
    assert.ok(now >= changes, `the sequence went back: ${states}`);
    changes = now;
    if (seen.at(-1) !== states.join()) seen.push(states.join());
  };
  // The first change is what the operator asks for: nothing goes on before it was made.
  for (const point of points) {
    await arm(point);
    await assert.rejects(fleet.admin.post("/v1/ca/root/rotate", {}), { code: "service/unreachable" });
    await served.ended;
    look();
    await rm(mesh.at("point"));
    if (point !== "authority-committed") served = await serve();
    fleet.follow(served);
  }
  // From there each start makes one change more, until nothing is left to be done.
  let deaths = points.length;
  for (let isDone = false; !isDone && deaths < 60; ) {
    passed += 26 * hour;
    await shift(mesh, passed);
    for (const point of points) {
      await arm(point);
      const ended = await serve().then(
        (started) => started.stop(),
        () => "killed",
      );
      look();
      isDone = ended !== "killed";
      if (isDone) break;
      deaths++;
    }
    await rm(mesh.at("point"));
    const audited = await mesh.own("audit", "verify", mesh.store);
    assert.equal(audited.status, 0, audited.out);
  }
  assert.ok(deaths >= 6 * points.length, `killed ${deaths} times`);
  assert.deepEqual(seen, [
    "active",
    "active,generated",
    "active,published",
    "active,propagated",
    "retiring,active",
    "retired,active",
  ]);

  served = await serve();
  fleet.follow(served);
  const { roots, steps } = (await fleet.admin.get("/v1/ca/root")) as RotationShape;
  assert.deepEqual(
    roots.map(({ state }) => state),
    ["retired", "active"],
  );
  assert.deepEqual(steps, []);
  const issued = await fleet.operate("web");
  assert.equal(issued.chain.at(-1)!.split("BEGIN CERTIFICATE").length, 2, "one root, the new one");
  assert.notEqual(issued.chain.at(-1), first.chain.at(-1));
  await checkRecord(fleet);
  await served.stop();
});

test("T12: a clock that jumps an hour ahead puts no root in force and removes none; set back, all goes on", async (t) => {
  const { scene, pass, rootStates } = await rotationScene(t);
  const { root } = scene.authority.service;
  const jump = async (millis: number) => {
    scene.shiftMillis += millis;
    await pass(0);
  };
  await issueFor(scene, undefined, 1800);
  await root.rotate("a test");
  await jump(hour);
  assert.deepEqual(rootStates(), ["active", "published"]);
  assert.deepEqual(holdsOf(await root.status()).length, 2, "time has to pass, and the certificate to end");
  await jump(-hour);
  await jump(-hour);
  assert.deepEqual(rootStates(), ["active", "published"]);
  await jump(hour);
  await pass(45 * minute);
  // The clock that went back is believed: what has to wait waits longer.
  await pass(2 * hour);
  assert.deepEqual(rootStates(), ["retiring", "active"]);
  await jump(hour);
  assert.deepEqual(rootStates(), ["retiring", "active"]);
  await jump(-hour);
  await pass(15 * minute);
  assert.deepEqual(rootStates(), ["retired", "active"]);
});

test("a full disk holds a rotation up, is told, and ends by itself when there is room", async (t) => {
  const disk = smallDisk(t, "tmpfs", 8);
  if (disk === undefined) return;
  const { scene, pass, rootStates } = await rotationScene(t, { folder: disk.folder });
  await scene.authority.service.root.rotate("a test");
  assert.deepEqual(rootStates(), ["active", "published"]);
  const free = disk.fill();
  await assert.rejects(pass(4 * minute), { code: "ca-store/full" });
  assert.deepEqual(rootStates(), ["active", "published"]);
  assert.match(scene.authority.summary().warnings.join("\n"), /the replacement of the root cannot go on: /);
  free();
  await pass(minute);
  assert.deepEqual(rootStates(), ["retiring", "active"]);
  assert.deepEqual(scene.authority.summary().rotation.warnings, []);
  const { ok, faults } = await scene.authority.service.auditReport();
  assert.deepEqual({ ok, faults }, { ok: true, faults: [] });
});
