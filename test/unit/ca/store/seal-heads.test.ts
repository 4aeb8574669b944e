import assert from "node:assert/strict";
import { test } from "node:test";
import type { AuditHead, StoreStatus } from "#ca/store/contract";
import { createHeadSealer, type HeadSealerOptions } from "#ca/store/seal-heads";
import { createAuditKey } from "#test/support/ca/audit-key";
import { silentLog } from "#test/support/ca/silent-log";
import { createFakeTime, settle } from "#test/support/keys/fake-time";

function setUp(but: Partial<HeadSealerOptions> = {}) {
  const time = createFakeTime();
  const key = createAuditKey();
  const log = { entries: 1 };
  const kept: AuditHead[] = [];
  const exported: AuditHead[] = [];
  const sealer = createHeadSealer({
    store: {
      status: async () => ({ entries: log.entries, lastHash: `hash ${log.entries}`, generation: 3 }) as StoreStatus,
      addAuditHead: async (head) => void kept.push(head),
    },
    sign: key.sign,
    auditKeyId: "audit",
    nowMillis: time.nowMillis,
    timers: time,
    log: silentLog,
    exportHead: async (head) => void exported.push(head),
    ...but,
  });
  return { time, key, log, kept, exported, sealer };
}

const numbers = (heads: readonly AuditHead[]) => heads.map(({ number }) => number);

test("T16: heads are signed at the start, after a thousand entries, and after a minute in which something came", async () => {
  const { time, key, log, kept, exported } = setUp();
  await settle();
  assert.deepEqual(numbers(kept), [1]);
  assert.ok(key.verifyHead(kept[0]!));
  assert.deepEqual(kept[0], {
    ...kept[0],
    hash: "hash 1",
    generation: 3,
    auditKeyId: "audit",
    atMillis: time.nowMillis(),
  });
  await time.advance(180_000);
  assert.deepEqual(numbers(kept), [1], "nothing came");
  log.entries = 1_000;
  await time.advance(1_000);
  assert.deepEqual(numbers(kept), [1, 1_000], "the last minute had none: at once");
  log.entries = 1_999;
  await time.advance(5_000);
  assert.deepEqual(numbers(kept), [1, 1_000]);
  log.entries = 2_000;
  await time.advance(1_000);
  assert.deepEqual(numbers(kept), [1, 1_000, 2_000]);
  log.entries = 2_001;
  await time.advance(59_000);
  assert.deepEqual(numbers(kept), [1, 1_000, 2_000]);
  await time.advance(2_000);
  assert.deepEqual(numbers(kept), [1, 1_000, 2_000, 2_001]);
  assert.deepEqual(exported, kept);
});

test("a head that cannot be exported is tried again, and told of", async () => {
  let broken = true;
  const exported: number[] = [];
  const { time, sealer, log } = setUp({
    exportHead: async ({ number }) => {
      if (broken) throw new Error("no room");
      exported.push(number);
    },
  });
  await settle();
  await time.advance(3_000);
  assert.deepEqual(exported, []);
  await assert.rejects(sealer.seal(), /no room/);
  broken = false;
  await time.advance(1_000);
  assert.deepEqual(exported, [1]);
  log.entries = 2;
  await sealer.seal();
  assert.deepEqual(exported, [1, 2]);
});

test("what came last is sealed at the stop, and nothing after it", async () => {
  const { time, sealer, log, kept } = setUp();
  await settle();
  log.entries = 5;
  await sealer.stop();
  assert.deepEqual(numbers(kept), [1, 5]);
  log.entries = 50_000;
  await time.advance(600_000);
  assert.deepEqual(numbers(kept), [1, 5]);
  assert.equal(time.pending(), 0);
});

test("a clock that goes back does not keep heads from being made", async () => {
  const { time, log, kept } = setUp();
  await settle();
  time.jump(-3_600_000);
  log.entries = 2;
  await time.advance(1_000);
  assert.deepEqual(numbers(kept), [1, 2]);
});
