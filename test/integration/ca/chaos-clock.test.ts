import assert from "node:assert/strict";
import { rmSync, writeFileSync } from "node:fs";
import { type TestContext, test } from "node:test";
import { issuanceDefaults } from "#ca/issuance/settings";
import { ServiceRefusal } from "#cli/ca/refusal";
import { checkRecord } from "#test/support/ca/chaos/check-record";
import { Fleet } from "#test/support/ca/chaos/fleet";
import { makeMesh } from "#test/support/ca/chaos/mesh";
import { serveProgram } from "#test/support/ca/chaos/serve-program";
import { shiftFileVariable } from "#test/support/ca/chaos/shift-clock";
import { newCsr, openScene, operator, type Scene, testScene, webId } from "#test/support/ca/scene";
import { afterAll } from "#test/support/service/after-all";

const minute = 60_000;
const hour = 60 * minute;

/** Asks as an operator; what it gives is looked at: never valid for longer than it may, nor much before the clock of the moment. */
async function issue(scene: Scene) {
  const answer = await scene.issue({ csrPem: newCsr().csrPem, spiffeId: webId, credentials: operator });
  if (!answer.ok) return answer.code;
  const nowMillis = Date.now() + scene.shiftMillis;
  const { backdateSeconds, defaultTtlSeconds } = issuanceDefaults;
  assert.ok(answer.notAfterMillis <= nowMillis + defaultTtlSeconds * 1000, "valid for too long");
  assert.ok(answer.notAfterMillis >= nowMillis + defaultTtlSeconds * 0.95 * 1000 - 10_000, "valid for too short");
  assert.ok(Math.abs(answer.notBeforeMillis - (nowMillis - backdateSeconds * 1000)) < 10_000, "begins elsewhere");
  return "issued";
}

async function auditOf({ authority }: Scene) {
  const { ok, faults } = await authority.service.auditReport();
  return { ok, faults };
}

/** An authority that was made two days ago, as its clock says. */
const settled = { authorityAgeMillis: 48 * hour };

test("T12: a clock that goes back is refused with an explanation, until it is right again", async (t) => {
  const scene = await testScene(t, settled);
  assert.equal(await issue(scene), "issued");
  scene.shiftMillis = -4 * minute;
  assert.equal(await issue(scene), "issued");
  assert.equal(scene.authority.serving(), true);

  scene.shiftMillis = -hour;
  const before = await scene.store.status();
  const refused = await scene.issue({ csrPem: newCsr().csrPem, spiffeId: webId, credentials: operator });
  assert.ok(!refused.ok);
  assert.equal(refused.code, "clock/backwards");
  const explained = await scene.store.explanation(refused.explanationId);
  const step = explained?.steps.at(-1);
  assert.match(step?.step ?? "", /^clock: /);
  assert.match(step?.remedy ?? "", /set the clock right/);
  assert.ok(Date.parse(step!.wanted.replace("not before ", "")) > Date.parse(step!.seen) + 50 * minute);
  assert.equal((await scene.store.status()).entries, before.entries);
  assert.equal(scene.authority.serving(), false);
  assert.match(scene.authority.summary().warnings.join(), /nothing can be issued before .*: the clock is behind/);

  scene.shiftMillis = 0;
  assert.equal(await issue(scene), "issued");
  assert.equal(scene.authority.serving(), true);
  assert.deepEqual(scene.authority.summary().warnings, []);
  assert.deepEqual(await auditOf(scene), { ok: true, faults: [] });
});

test("T12: what was issued by a clock an hour ahead holds up issuing until the right clock is past it", async (t) => {
  const scene = await testScene(t, settled);
  scene.shiftMillis = hour;
  assert.equal(await issue(scene), "issued");
  scene.shiftMillis = 0;
  assert.equal(await issue(scene), "clock/backwards");
  scene.shiftMillis = 54 * minute;
  assert.equal(await issue(scene), "clock/backwards");
  scene.shiftMillis = 56 * minute;
  assert.equal(await issue(scene), "issued");
  // A jump in which nobody was given anything leaves nothing behind.
  scene.shiftMillis = 3 * hour;
  scene.shiftMillis = hour;
  assert.equal(await issue(scene), "issued");
  assert.deepEqual(await auditOf(scene), { ok: true, faults: [] });
});

test("T12: an authority made by a clock ahead signs nothing before its time has come, however nothing was issued by it", async (t) => {
  const scene = await testScene(t, settled);
  scene.shiftMillis = hour;
  await scene.authority.service.rotateIssuer("a test");
  scene.shiftMillis = 0;
  assert.equal(await issue(scene), "clock/backwards");
  scene.shiftMillis = hour;
  assert.equal(await issue(scene), "issued");
});

test("T12: across a restart the records are remembered, by whatever clock they were opened", async (t) => {
  let scene = await openScene(settled);
  const { folder } = scene;
  afterAll(t, () => rmSync(folder, { recursive: true, force: true }));
  const restart = async (shiftMillis: number) => {
    await scene.close();
    scene = await openScene({ folder, shiftMillis, serverNames: ["localhost"] });
  };
  assert.equal(await issue(scene), "issued");
  for (const [shiftMillis, expected] of [
    [-hour, "clock/backwards"],
    [-4 * minute, "issued"],
    [hour, "issued"],
    [0, "clock/backwards"],
    [0, "clock/backwards"],
    [hour, "issued"],
  ] as const) {
    await restart(shiftMillis);
    assert.equal(await issue(scene), expected, `at ${shiftMillis}`);
    assert.deepEqual(await auditOf(scene), { ok: true, faults: [] });
  }
  await scene.close();
});

test("rates are counted by the monotonic clock: a jump gives nobody anything, and takes nothing", async (t) => {
  const rates = { perAddressPerSecond: 1, perAddressBurst: 1, perCallerPerSecond: 1, perCallerBurst: 1 };
  const scene = await testScene(t, { ...settled, configuration: { rates } });
  const ask = async () => {
    const answer = await scene.issue({ csrPem: newCsr().csrPem });
    return answer.ok ? "issued" : answer.code;
  };
  assert.equal(await ask(), "caller/none");
  for (const shiftMillis of [hour, -hour, 0]) {
    scene.shiftMillis = shiftMillis;
    assert.equal(await ask(), "rate/address", `at ${shiftMillis}`);
  }
});

test("T9, T12: a join token ends by the clock of the moment, and is used once by whatever clock", async (t) => {
  const scene = await testScene(t, settled);
  const { service } = scene.authority;
  const { token } = await service.createToken({ spiffeId: webId, ttlSeconds: 600, sourceCidrs: [] }, "a test");
  const join = async () => {
    const credentials = { ...operator, operatorSocket: false, bearer: token, remoteAddress: "127.0.0.1" };
    const answer = await scene.issue({ csrPem: newCsr().csrPem, credentials });
    return answer.ok ? "issued" : answer.code;
  };
  scene.shiftMillis = hour;
  assert.equal(await join(), "caller/refused");
  scene.shiftMillis = 0;
  assert.equal(await join(), "issued");
  for (const shiftMillis of [0, hour, -4 * minute]) {
    scene.shiftMillis = shiftMillis;
    assert.equal(await join(), "caller/refused");
  }
});

/** The program with a wall clock that the test moves. */
async function movable(t: TestContext) {
  const mesh = await makeMesh(t);
  const file = mesh.at("shift");
  const shift = (millis: number) => writeFileSync(file, String(millis));
  shift(0);
  const serve = () =>
    serveProgram(t, mesh, {
      preload: [new URL("../../support/ca/chaos/shift-clock.ts", import.meta.url)],
      environment: { [shiftFileVariable]: file },
    });
  return { mesh, shift, serve };
}

test("T12: the program goes on through jumps of its clock and starts in spite of them; agents are told to ask again", async (t) => {
  const { mesh, shift, serve } = await movable(t);
  const refusal = (fault: unknown) =>
    fault instanceof ServiceRefusal && fault.status === 503 && fault.code === "clock/backwards";
  let served = await serve();
  const fleet = new Fleet(mesh, served);
  const first = await fleet.join(await fleet.newToken("web"));
  const waiting = await fleet.newToken("web");

  shift(-hour);
  await assert.rejects(fleet.operate("web"), refusal);
  // The connection and the certificates are those of before: what is refused is issuing alone.
  await assert.rejects(fleet.join(waiting), { code: 14 });
  const told = await mesh.own("status");
  assert.match(told.out, /warning:.*the clock is behind the records/);
  await served.stop();

  served = await serve();
  fleet.follow(served);
  await assert.rejects(fleet.join(waiting), { code: 14 });
  shift(-4 * minute);
  await fleet.operate("web");
  shift(0);
  await fleet.join(waiting);
  await fleet.renew(first);
  await checkRecord(fleet);

  shift(hour);
  await fleet.operate("web");
  shift(0);
  await assert.rejects(fleet.operate("web"), refusal);
  await served.kill();
  served = await serve();
  fleet.follow(served);
  await assert.rejects(fleet.operate("web"), refusal);
  shift(hour);
  await fleet.operate("web");
  await checkRecord(fleet);
  assert.deepEqual(
    served.lines().filter(({ level }) => level === "error"),
    [],
  );
  await served.stop();
});
