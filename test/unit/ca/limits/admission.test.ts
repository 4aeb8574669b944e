import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Admission, type Admitted, createAdmission } from "#ca/limits/admission";
import { settle } from "#test/support/keys/fake-time";

/** An event loop whose turns are made one by one, and a clock that work alone moves. */
function loopOf(settings: { inFlight: number; waiting: number; waitingBytes?: number }) {
  let nowMillis = 1000;
  const next: (() => void)[] = [];
  const scene = { settings: { waitingBytes: 1_000_000, ...settings }, turns: [] as number[] };
  const admission = createAdmission({
    settings: () => scene.settings,
    monotonicMillis: () => nowMillis,
    nextTurn: (run) => next.push(run),
    sliceMillis: 8,
  });
  return {
    scene,
    admission,
    /** Keeps the processor busy. */
    work: (millis: number) => {
      nowMillis += millis;
    },
    /** One turn: what it was called for, and all that follows from it at once. How long it took is noted. */
    async turn() {
      const began = nowMillis;
      for (const run of next.splice(0)) run();
      await settle();
      scene.turns.push(nowMillis - began);
    },
    idle: () => next.length === 0,
  };
}

async function runAll(loop: ReturnType<typeof loopOf>): Promise<void> {
  while (!loop.idle()) await loop.turn();
}

const oks = <T>(answers: readonly Admitted<T>[]) => answers.filter(({ ok }) => ok).length;

describe("the admission of work", () => {
  it("begins nothing in the turn in which it comes, and all of it in its order", async () => {
    const loop = loopOf({ inFlight: 100, waiting: 0 });
    const begun: number[] = [];
    const all = Array.from({ length: 20 }, (_, i) => loop.admission.admit(async () => begun.push(i), 0));
    await settle();
    assert.deepEqual(begun, []);
    assert.deepEqual(loop.admission.load(), { inFlight: 0, waiting: 20 });
    await runAll(loop);
    assert.deepEqual(
      begun,
      Array.from({ length: 20 }, (_, i) => i),
    );
    assert.equal(oks(await Promise.all(all)), 20);
    assert.deepEqual(loop.admission.load(), { inFlight: 0, waiting: 0 });
  });

  it("T18: serves 10,000 at once, and no turn is kept for longer than a slice and one piece", async () => {
    const loop = loopOf({ inFlight: 64, waiting: 10_000 });
    const pieceMillis = 0.3;
    const all = Array.from({ length: 10_000 }, async () => {
      const answer = await loop.admission.admit(async () => {
        loop.work(pieceMillis);
        await loop.admission.turn();
        loop.work(pieceMillis);
        return true;
      }, 1);
      return answer.ok;
    });
    await runAll(loop);
    assert.ok((await Promise.all(all)).every(Boolean));
    assert.ok(Math.max(...loop.scene.turns) <= 8 + 2 * pieceMillis, `${Math.max(...loop.scene.turns)}`);
    const busy = loop.scene.turns.reduce((sum, millis) => sum + millis, 0);
    assert.equal(Math.round(busy), 6_000);
    // The turns are used: most are full.
    assert.ok(loop.scene.turns.length < 1.3 * (6_000 / 8), `${loop.scene.turns.length} turns`);
  });

  it("spreads over the turns what all waited for the same write", async () => {
    const loop = loopOf({ inFlight: 200, waiting: 0 });
    const written = Promise.withResolvers<void>();
    const all = Array.from({ length: 200 }, () =>
      loop.admission.admit(async () => {
        await written.promise;
        await loop.admission.turn();
        loop.work(1);
      }, 0),
    );
    await runAll(loop);
    loop.scene.turns.length = 0;
    written.resolve();
    await settle();
    await runAll(loop);
    assert.equal(oks(await Promise.all(all)), 200);
    assert.deepEqual([Math.max(...loop.scene.turns), loop.scene.turns.length], [8, 25]);
  });

  it("goes on with what was begun before it begins anything else", async () => {
    const loop = loopOf({ inFlight: 2, waiting: 10 });
    const seen: string[] = [];
    const all = ["a", "b", "c", "d"].map((name) =>
      loop.admission.admit(async () => {
        seen.push(`${name}1`);
        await loop.admission.turn();
        seen.push(`${name}2`);
      }, 0),
    );
    await runAll(loop);
    await Promise.all(all);
    assert.ok(seen.indexOf("a2") < seen.indexOf("c1") && seen.indexOf("b2") < seen.indexOf("d1"), seen.join(" "));
  });

  it("has no more in flight than it may, and takes a change of that in", async () => {
    const loop = loopOf({ inFlight: 3, waiting: 100 });
    let most = 0;
    const ends: (() => void)[] = [];
    const all = Array.from({ length: 50 }, () =>
      loop.admission.admit(async () => {
        most = Math.max(most, loop.admission.load().inFlight);
        await new Promise<void>((resolve) => ends.push(resolve));
      }, 0),
    );
    await runAll(loop);
    assert.deepEqual(loop.admission.load(), { inFlight: 3, waiting: 47 });
    loop.scene.settings = { ...loop.scene.settings, inFlight: 5 };
    for (let i = 0; i < 60; i++) {
      ends.shift()?.();
      await settle();
      await runAll(loop);
    }
    assert.equal(oks(await Promise.all(all)), 50);
    assert.equal(most, 5);
  });

  it("refuses at once what is too much to wait, in number or in bytes", async () => {
    const loop = loopOf({ inFlight: 2, waiting: 3, waitingBytes: 100 });
    const refusal = { ok: false, code: "rate/overload", retryAfterMillis: 1000 };
    const admit = (sizeBytes: number) => loop.admission.admit(async () => "done", sizeBytes);
    const many = Array.from({ length: 5 }, () => admit(1));
    assert.deepEqual(await admit(1), refusal);
    await runAll(loop);
    assert.equal(oks(await Promise.all(many)), 5);

    const large = [admit(60), admit(40)];
    assert.deepEqual(await admit(1), refusal);
    await runAll(loop);
    assert.equal(oks(await Promise.all(large)), 2);
    assert.deepEqual(await admit(101), refusal);
    assert.ok(loop.idle());
  });

  it("gives the place of work that fails to the next, and the failure to whoever brought it", async () => {
    const loop = loopOf({ inFlight: 1, waiting: 10 });
    const failures = [
      loop.admission.admit(() => Promise.reject(new Error("late")), 0),
      loop.admission.admit(() => {
        throw new Error("at once");
      }, 0),
    ];
    const outcome = Promise.allSettled(failures);
    const after = loop.admission.admit(async () => "done", 0);
    await runAll(loop);
    assert.deepEqual(
      (await outcome).map((each) => (each.status === "rejected" ? each.reason.message : "")),
      ["late", "at once"],
    );
    assert.deepEqual(await after, { ok: true, value: "done" });
    assert.deepEqual(loop.admission.load(), { inFlight: 0, waiting: 0 });
  });

  it("keeps going on the machine's own event loop", async () => {
    const admission: Admission = createAdmission({
      settings: () => ({ inFlight: 8, waiting: 1000, waitingBytes: 1000 }),
      monotonicMillis: () => performance.now(),
      nextTurn: setImmediate,
    });
    const all = Array.from({ length: 1000 }, (_, i) =>
      admission.admit(async () => {
        await admission.turn();
        return i;
      }, 1),
    );
    const answers = await Promise.all(all);
    assert.deepEqual(
      answers.map((answer) => (answer.ok ? answer.value : -1)),
      Array.from({ length: 1000 }, (_, i) => i),
    );
  });
});
