import assert from "node:assert/strict";
import { rm, writeFile } from "node:fs/promises";
import { describe, type TestContext, test } from "node:test";
import { atOnce } from "#test/support/ca/chaos/at-once";
import { checkRecord, type Recorded } from "#test/support/ca/chaos/check-record";
import { type CallerKind, Fleet, type HeldToken } from "#test/support/ca/chaos/fleet";
import { type Mesh, makeMesh } from "#test/support/ca/chaos/mesh";
import { type KillPoint, killPoints, pointFileVariable } from "#test/support/ca/chaos/points";
import { type Served, serveProgram } from "#test/support/ca/chaos/serve-program";
import { agentRetries } from "#test/support/ca/pilot-agent";

const long = process.env["GARITA_LONG"] === "1";
const rounds = long ? 5 : 1;
const hooks = new URL("../../support/ca/chaos/kill-hooks.ts", import.meta.url);

/** What a death at a point leaves of the request that was under way. */
const leaves: Readonly<Record<KillPoint, "nothing" | "abandoned" | "issued">> = {
  "before-intent": "nothing",
  "intent-sent": "nothing",
  "intent-not-committed": "nothing",
  "intent-committed": "abandoned",
  "before-signature": "abandoned",
  "after-signature": "abandoned",
  "completion-sent": "abandoned",
  "completion-not-committed": "abandoned",
  "completion-committed": "issued",
  "before-answer": "issued",
  "answer-half-written": "issued",
};

/** A service that is killed again and again, and the machines that ask it. */
class Scene {
  readonly mesh: Mesh;
  readonly fleet: Fleet;
  readonly #t: TestContext;
  #served: Served;

  private constructor(t: TestContext, mesh: Mesh, served: Served) {
    this.#t = t;
    this.mesh = mesh;
    this.#served = served;
    this.fleet = new Fleet(mesh, served);
  }

  static async open(t: TestContext): Promise<Scene> {
    const mesh = await makeMesh(t);
    await (await Scene.#serve(t, mesh)).stop();
    return new Scene(t, mesh, await Scene.#serve(t, mesh));
  }

  static #serve(t: TestContext, mesh: Mesh): Promise<Served> {
    return serveProgram(t, mesh, { preload: [hooks], environment: { [pointFileVariable]: mesh.at("point") } });
  }

  /** Asks while the service is to die at the point. Resolves when it is dead. */
  async dieAt(point: KillPoint, ask: () => Promise<unknown>): Promise<void> {
    await writeFile(this.mesh.at("point"), point);
    const fault = await ask().then(
      () => assert.fail(`${point} was not reached`),
      (thrown: unknown) => thrown,
    );
    const code = Reflect.get(Object(fault), "code");
    const retried = typeof code === "number" ? agentRetries.has(code) : code === "service/unreachable";
    assert.ok(retried, `a client does not ask again after ${String(code)}: ${String(fault)}`);
    assert.deepEqual(await this.#served.ended, { code: null, signal: "SIGKILL" });
    await rm(this.mesh.at("point"));
  }

  async restart(): Promise<Served> {
    this.#served = await Scene.#serve(this.#t, this.mesh);
    this.fleet.follow(this.#served);
    return this.#served;
  }

  async stop(): Promise<void> {
    await this.#served.stop();
  }
}

/** Gone wrong once; what it left is as the point says, and what the service itself says. */
async function dieAndCompare(scene: Scene, before: Recorded, point: KillPoint, caller: CallerKind): Promise<Recorded> {
  const { fleet } = scene;
  let token: HeldToken | undefined;
  if (caller === "join-token") {
    const made = await fleet.newToken("web");
    token = made;
    await scene.dieAt(point, () => fleet.join(made));
  } else if (caller === "renewal") await scene.dieAt(point, () => fleet.renew(fleet.held.at(-1)!));
  else await scene.dieAt(point, () => fleet.operate("web"));
  const served = await scene.restart();

  const after = await checkRecord(fleet);
  const known = new Set(before.certificates.map(({ serial }) => serial));
  const left = after.certificates.filter(({ serial, method }) => !known.has(serial) && method !== "self");
  const expected = leaves[point];
  const method = caller === "renewal" ? "x509-svid" : caller;
  assert.deepEqual(
    left.map((each) => [each.state, each.method]),
    expected === "nothing" ? [] : [[expected, method]],
  );
  assert.deepEqual(
    served
      .said("issuances that an earlier run had begun are marked as abandoned")
      .map(({ abandoned, serials }) => [abandoned, serials]),
    expected === "abandoned" ? [[1, left.map(({ serial }) => serial)]] : [],
  );

  if (token === undefined) return after;
  // Asked again as an agent would: a token that no issuance carries is as good as before, any other is used.
  if (expected === "nothing") await fleet.join(token);
  else await assert.rejects(fleet.join(token), { code: 16 });
  return checkRecord(fleet);
}

const others: readonly (readonly [KillPoint, CallerKind])[] = killPoints.flatMap((point) => [
  [point, "renewal"],
  [point, "operator"],
]);

/** Every point for a machine that joins, where a token is at stake; of the others every fifth, and all in long runs. */
const plans: Readonly<Record<string, readonly (readonly [KillPoint, CallerKind])[]>> = {
  "machines that join": killPoints.map((point) => [point, "join-token"]),
  "renewals and operators": long ? others : others.filter((_, place) => place % 5 === 2),
};

describe("killed at every step of issuance", atOnce, () => {
  for (const [who, plan] of Object.entries(plans)) {
    test(`T9, T14, T16: killed at every step of issuance: nothing is handed out unrecorded, no token used twice (${who})`, async (t) => {
      const scene = await Scene.open(t);
      await scene.fleet.join(await scene.fleet.newToken("web"));
      let record = await checkRecord(scene.fleet);
      for (let round = 0; round < rounds; round++) {
        for (const [point, caller] of plan) {
          await t.test(`${point}, ${caller}`, async () => {
            record = await dieAndCompare(scene, record, point, caller);
          });
        }
      }
      // It goes on as if nothing had been.
      await scene.fleet.renew(scene.fleet.held[0]!);
      await checkRecord(scene.fleet);
      await scene.stop();
      const audited = await scene.mesh.own("audit", "verify", scene.mesh.store);
      assert.equal(audited.status, 0, audited.out);
    });
  }
});
