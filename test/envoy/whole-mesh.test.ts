import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { after, before, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import type { PlanShape, RotationShape } from "#ca/transport/http/root-shapes";
import { Closing } from "#test/support/envoy/closing";
import { envoyOrSkip, findEnvoy } from "#test/support/envoy/find-envoy";
import { type Load, startLoad } from "#test/support/envoy/load";
import { ask, count, web } from "#test/support/envoy/mtls-pair";
import { startWholeMesh, type WholeMesh } from "#test/support/envoy/whole-mesh";
import { until } from "#test/support/until";

/**
 * Everything at once, each part as a process of its own: the service with its authority, an agent for each of two workloads, an Envoy for each. A request goes from one Envoy to
 * the other over mutual TLS with certificates of the authority, on a connection of its own, and the policy decides on the principal.
 */
/** With the time that a rotation takes by itself: three minutes, for what is on its way. */
const isLong = process.env["GARITA_LONG"] === "1";
const found = await findEnvoy();
const closing = new Closing();
let mesh: WholeMesh;
before(async () => {
  if (found.ok) mesh = closing.add(await startWholeMesh(found.binary));
});
after(() => closing.close());

/** Under load, with a handshake for each request: none may fail. */
async function underLoad(diagnostic: (text: string) => void, run: (load: Load) => Promise<void>): Promise<void> {
  const before = await count(mesh.callee, /^listener\..*\.ssl\.handshake$/);
  const load = startLoad({ port: mesh.port, paths: ["/orders"] });
  try {
    await run(load);
    await load.more(50);
  } finally {
    await load.stop();
  }
  const failed = load.samples.filter(({ status }) => status !== 200);
  assert.deepEqual(failed.slice(0, 3), []);
  const handshakes = (await count(mesh.callee, /^listener\..*\.ssl\.handshake$/)) - before;
  assert.ok(handshakes >= load.samples.length, `${handshakes} handshakes for ${load.samples.length} requests`);
  assert.equal(await count(mesh.callee, /^listener\..*\.ssl\.connection_error$/), 0);
  assert.equal(await count(mesh.callee, /^listener\..*\.ssl\.session_reused$/), 0);
  diagnostic(`${load.samples.length} requests, ${handshakes} handshakes, none failed`);
}

test("the policy decides on the principal of the certificate that the agent brought", async (t) => {
  if ((await envoyOrSkip(t)) === undefined) return;
  assert.equal((await ask(mesh.port, "/orders")).status, 200);
  assert.equal((await ask(mesh.port, "/others")).status, 403);
  assert.equal((await mesh.garita.denial(({ path }) => path === "/others")).principal, web);
});

test("leaves of both sides are replaced every other second under load", async (t) => {
  if ((await envoyOrSkip(t)) === undefined) return;
  await underLoad(
    (text) => t.diagnostic(text),
    async (load) => {
      for (let i = 0; i < 5; i++) {
        await Promise.all([mesh.web.renew(), mesh.orders.renew()]);
        await delay(2_000);
        await load.more(20);
      }
    },
  );
});

test("the root is replaced under load, from its making to the end of the old one", async (t) => {
  if ((await envoyOrSkip(t)) === undefined) return;
  const rotation = async () => JSON.parse(await mesh.ca("root", "status", "--format", "json")) as RotationShape;
  const stateOf = async (isOld: boolean) =>
    (await rotation()).roots.find(({ keyId }) => (keyId === oldRoot) === isOld)?.state;
  const oldRoot = (await rotation()).roots[0]!.keyId;
  await underLoad(
    (text) => t.diagnostic(text),
    async (load) => {
      const begun = performance.now();
      await mesh.ca("root", "rotate");
      const holds = async () => (await rotation()).steps.flatMap(({ heldUpBy }) => heldUpBy);
      await until(
        async () => (await holds()).every(({ kind }) => kind === "time"),
        "everybody has the new root",
        60_000,
      );
      t.diagnostic(`everybody has acknowledged the new root after ${(performance.now() - begun).toFixed(0)} ms`);
      if (isLong) await until(async () => (await stateOf(false)) === "active", "the new root active", 5 * 60_000);
      else await force("activate");
      assert.equal(await stateOf(true), "retiring");
      await load.more(50);
      await Promise.all([mesh.web.renew(), mesh.orders.renew()]);
      await load.more(50);
      // Its last certificate would have to have ended; all have been replaced: what is left breaks nobody.
      await force("remove", "--remove", oldRoot);
      assert.notEqual(await stateOf(true), "retiring");
      for (const agent of [mesh.web, mesh.orders])
        await agent.until(
          "one root, acknowledged",
          ({ bundle }) => bundle?.anchors === 1 && bundle.acknowledged === true,
        );
      await load.more(50);
    },
  );
});

/** What only waits for time to pass is done at once: nobody breaks by it. */
async function force(action: PlanShape["action"], ...more: string[]): Promise<void> {
  const asked = ["root", "rotate", "--emergency", ...more, "--confirm"];
  const { err } = await mesh.tryCa(...asked, "no");
  assert.match(err, /: 0 identities break\./);
  const [confirmation = ""] = new RegExp(`^${action} .* leaving 0 behind$`, "m").exec(err) ?? [];
  await mesh.ca(...asked, confirmation);
}

test("a revoked workload is refused at once, its replacement is accepted", async (t) => {
  if ((await envoyOrSkip(t)) === undefined) return;
  const { serial } = (await mesh.web.identity()).certificate!;
  const begun = performance.now();
  await mesh.ca("revoke", serial, "--reason", "a test");
  await until(async () => (await ask(mesh.port, "/orders")).status === 403, "refused");
  const refusedMillis = performance.now() - begun;
  t.diagnostic(`refused ${refusedMillis.toFixed(0)} ms after garita ca revoke was run`);
  assert.ok(refusedMillis < 10_000, "sooner than anything asks by itself");
  assert.equal(
    (await mesh.garita.denial(({ path, reason }) => path === "/orders" && reason === "revoked")).principal,
    web,
  );
  await writeFile(mesh.web.tokenFile, await mesh.ca("token", "new", "--id", web), { mode: 0o600 });
  await mesh.web.until("another certificate", ({ certificate }) => certificate?.serial !== serial);
  await until(async () => (await ask(mesh.port, "/orders")).status === 200, "accepted");
});
