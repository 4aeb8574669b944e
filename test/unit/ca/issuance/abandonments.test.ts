import assert from "node:assert/strict";
import { test } from "node:test";
import { createAbandonments } from "#ca/issuance/abandonments";
import { CodedError } from "#platform/coded-error";
import { recordLog } from "#test/support/ca/record-log";
import { createFakeTime } from "#test/support/keys/fake-time";

/** A store that writes off what is open, while nothing is wrong with it. */
function scene(open: readonly string[]) {
  const time = createFakeTime();
  const { log, lines } = recordLog();
  const state = { fault: undefined as string | undefined, broken: false, written: [] as string[] };
  const store = {
    fault: () => state.fault,
    async recordAbandoned(serialHex: string, _atMillis: number, reason: string) {
      if (state.broken) throw new CodedError("ca-store/unavailable", "the thread ended");
      if (!open.includes(serialHex)) throw new CodedError("ca-store/no-intent", "none");
      state.written.push(`${serialHex}: ${reason}`);
    },
  };
  const abandonments = createAbandonments({ store, nowMillis: time.nowMillis, timers: time, log });
  return { time, lines, state, abandonments };
}

test("what came to nothing is written off a second later; what was never on record, or is complete, is not", async () => {
  const { time, lines, state, abandonments } = scene(["a1"]);
  abandonments.add("a1", "no room");
  abandonments.add("b2", "no room");
  assert.equal(time.pending(), 1);
  await time.advance(1_000);
  assert.deepEqual(state.written, ["a1: no room"]);
  assert.deepEqual(
    lines.map(({ message, fields }) => [message, fields["serial"]]),
    [["an issuance is marked as abandoned", "a1"]],
  );
  assert.deepEqual([abandonments.waiting, time.pending()], [0, 0]);
});

test("a store that takes nothing is not asked, and one that fails is asked again", async () => {
  const { time, state, abandonments } = scene(["a1", "b2"]);
  state.fault = "no room is left";
  abandonments.add("a1", "no room");
  abandonments.add("b2", "no room");
  await time.advance(10_000);
  assert.equal(abandonments.waiting, 2);
  state.fault = undefined;
  state.broken = true;
  await time.advance(1_000);
  assert.equal(abandonments.waiting, 2);
  state.broken = false;
  await time.advance(1_000);
  assert.deepEqual(state.written, ["a1: no room", "b2: no room"]);
});

test("of very many some are left to the next start; when it is stopped, all are", async () => {
  const { time, state, abandonments } = scene([]);
  state.fault = "no room is left";
  for (let serial = 0; serial < 1_500; serial++) abandonments.add(String(serial), "no room");
  assert.equal(abandonments.waiting, 1_000);
  abandonments.stop();
  assert.equal(time.pending(), 0);
});
