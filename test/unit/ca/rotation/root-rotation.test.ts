import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { openAuthorities } from "#ca/authorities/authorities";
import { defaultAuthoritySettings } from "#ca/authorities/settings";
import { bundleVersion } from "#ca/bundle/build-bundle";
import type { BundleStream } from "#ca/rotation/contract";
import { createRootRotation } from "#ca/rotation/root-rotation";
import { defaultRotationSettings } from "#ca/rotation/settings";
import type { Timers } from "#platform/timers";
import { day, sceneKey } from "#test/support/ca/authority-scene";
import { createMemoryRotationStore, type MemoryRotationStore } from "#test/support/ca/rotation/memory-rotation-store";
import { certificateInUse } from "#test/support/ca/rotation/views";
import { silentLog } from "#test/support/ca/silent-log";
import { createFakeTime } from "#test/support/keys/fake-time";
import { until } from "#test/support/until";

const minute = 60_000;

/** A time that the tests move, for both clocks. */
function createTime() {
  let passedMillis = 0;
  let jumpedMillis = Date.UTC(2030, 0, 1);
  return {
    clock: { nowMillis: () => passedMillis + jumpedMillis, monotonicMillis: () => passedMillis },
    pass(millis: number) {
      passedMillis += millis;
    },
    /** The wall clock alone. */
    jump(millis: number) {
      jumpedMillis += millis;
    },
  };
}
type Time = ReturnType<typeof createTime>;

/** A replica of the service over a store. */
async function openReplica(
  store: MemoryRotationStore,
  { clock }: Pick<Time, "clock">,
  timers: Timers = { after: () => () => undefined },
  streams: () => readonly BundleStream[] = () => [],
) {
  const common = { store, clock, timers, log: silentLog };
  const authorities = await openAuthorities({
    ...common,
    keyEncryptionKey: sceneKey,
    trustDomain: "example.org",
    settings: { ...defaultAuthoritySettings, longestLeafMillis: day },
    random: randomBytes,
  });
  const activated: string[] = [];
  const rotation = createRootRotation({
    ...common,
    authorities,
    streams,
    settings: defaultRotationSettings,
    onActivated: () => void activated.push(authorities.current().issuing!.keyId),
  });
  return { authorities, rotation, activated };
}

const rootsOf = ({ records }: MemoryRotationStore) =>
  records.filter(({ role }) => role === "root").map(({ state }) => state);
const activeOf = ({ records }: MemoryRotationStore, role: "root" | "issuing") =>
  records.filter((record) => record.role === role && record.state === "active").length;

/** An initialised store, copied for each that starts from it. */
async function initialised(time: Time) {
  const store = createMemoryRotationStore();
  await (await openReplica(store, time)).authorities.initialise("test");
  return store;
}

/** Looks as every minute until nothing is on its way; at most so many times. */
async function drive({ rotation, authorities }: Awaited<ReturnType<typeof openReplica>>, time: Time): Promise<void> {
  for (let i = 0; i < 60 && (i === 0 || rotation.summary().state !== undefined); i++) {
    time.pass(minute);
    await authorities.lookAfter();
    await rotation.lookAfter();
  }
}

/** Counts the writes of a whole rotation, to break at each. */
async function writesOfRotation(): Promise<number> {
  const time = createTime();
  const store = await initialised(time);
  const before = store.writes();
  const replica = await openReplica(store, time);
  await replica.rotation.rotate("test");
  await drive(replica, time);
  assert.deepEqual(rootsOf(store), ["retired", "active"]);
  return store.writes() - before;
}

test("killed at each write of a rotation, before or after it is done, another start goes on to the same end", async () => {
  const writes = await writesOfRotation();
  assert.ok(writes >= 7, `${writes} writes`);
  for (let write = 0; write < writes; write++) {
    for (const when of ["before", "after"] as const) {
      const time = createTime();
      const store = await initialised(time);
      const first = store.writes();
      store.onWrite = (call, at) => {
        if (call - first === write && at === when) throw new Error("the machine stops");
      };
      const sequences: number[] = [];
      const dying = await openReplica(store, time);
      dying.authorities.subscribe(() => sequences.push(dying.authorities.current().bundle.sequence));
      await assert.rejects(async () => {
        await dying.rotation.rotate("test");
        await drive(dying, time);
      }, /the machine stops/);
      store.onWrite = () => undefined;

      const next = await openReplica(store, time);
      sequences.push(next.authorities.current().bundle.sequence);
      next.authorities.subscribe(() => sequences.push(next.authorities.current().bundle.sequence));
      assert.equal(activeOf(store, "issuing"), 1);
      assert.equal(activeOf(store, "root"), 1);
      // Asked again, as an operator would who saw it fail: where it is on its way it goes on.
      if (rootsOf(store).length === 1) await next.rotation.rotate("test");
      await drive(next, time);
      assert.deepEqual(rootsOf(store), ["retired", "active"], `${when} write ${write}`);
      assert.equal(next.authorities.current().bundle.anchors.length, 1);
      const rising = sequences.toSorted((a, b) => a - b);
      assert.deepEqual(sequences, rising, `${when} write ${write}: the sequence went back`);
    }
  }
});

test("T15: of replicas that look at once one takes each step, and the others go on from there", async () => {
  const time = createTime();
  const store = await initialised(time);
  const replicas = await Promise.all([1, 2, 3].map(() => openReplica(store, time)));
  await Promise.all(replicas.map(({ rotation }, i) => rotation.rotate(`operator ${i}`)));
  for (let i = 0; i < 20; i++) {
    time.pass(minute);
    await Promise.all(replicas.map(({ rotation }) => rotation.lookAfter()));
    assert.equal(activeOf(store, "issuing"), 1);
    assert.equal(activeOf(store, "root"), 1);
  }
  const states = rootsOf(store);
  assert.deepEqual([states[0], states.filter((state) => state === "active").length], ["retired", 1]);
  assert.ok(
    states.every((state) => state === "retired" || state === "active"),
    "what was made too often is withdrawn",
  );
  await Promise.all(replicas.map(({ authorities }) => authorities.reload()));
  assert.equal(new Set(replicas.map(({ authorities }) => authorities.current().issuing!.keyId)).size, 1);
  assert.equal(replicas.flatMap(({ activated }) => activated).length, 1);
});

test("the issuing authority under the new root is there before the root is trusted, and made anew where its half of life is over", async () => {
  const time = createTime();
  const store = await initialised(time);
  const replica = await openReplica(store, time);
  const straggler = certificateInUse(1, {
    atMillis: time.clock.nowMillis(),
    notAfterMillis: time.clock.nowMillis() + 60 * day,
    bundleSequence: 0,
    issuerKeyId: replica.authorities.current().issuing!.keyId,
  });
  store.certificates.push(straggler);
  await replica.rotation.rotate("test");
  const prepared = store.records.at(-1)!;
  assert.deepEqual([prepared.role, prepared.state, prepared.slot], ["issuing", "prepared", "A"]);
  assert.deepEqual(rootsOf(store), ["active", "published"]);
  for (let passed = 0; passed < 61; passed++) {
    time.pass(day);
    await replica.authorities.lookAfter();
    await replica.rotation.lookAfter();
  }
  assert.deepEqual(rootsOf(store).at(-1), "active");
  const { issuing } = replica.authorities.current();
  assert.notEqual(issuing!.keyId, prepared.keyId);
  assert.ok(issuing!.notAfterMillis - time.clock.nowMillis() > 80 * day);
  assert.equal(store.records.find(({ keyId }) => keyId === prepared.keyId)!.state, "retired");
});

test("a self-test that fails holds the root up, is told, and is tried again ten minutes later", async () => {
  const time = createTime();
  const store = await initialised(time);
  const replica = await openReplica(store, time);
  const { addAuthority } = store;
  // An issuing authority that ended before it was made cannot be tested: its clock went ahead meanwhile.
  store.addAuthority = async (record) => {
    await addAuthority(record);
    if (record.role === "issuing") time.jump(100 * day);
  };
  const status = await replica.rotation.rotate("test");
  assert.deepEqual(
    status.steps.map(({ from, heldUpBy }) => [from, heldUpBy.map(({ kind }) => kind)]),
    [["generated", ["self-test"]]],
  );
  assert.match(
    replica.rotation.summary().warnings.join(),
    /^the new root is not put in force: the issuing authority .* is not put in force \(/,
  );
  assert.equal(replica.authorities.current().bundle.anchors.length, 1, "nobody is told of the root");
  const made = store.records.length;
  time.pass(9 * minute);
  await replica.rotation.lookAfter();
  assert.equal(store.records.length, made, "each failure would leave one behind");
  store.addAuthority = addAuthority;
  time.pass(2 * minute);
  await replica.rotation.lookAfter();
  assert.deepEqual(rootsOf(store), ["active", "published"]);
});

test("a root that the issuing authority in force stands under is neither retired nor removed", async () => {
  const time = createTime();
  const store = await initialised(time);
  const replica = await openReplica(store, time);
  const root = store.records[0]!.keyId;
  store.records = store.records.map((record) => (record.keyId === root ? { ...record, state: "retiring" } : record));
  time.pass(day);
  await replica.rotation.lookAfter();
  assert.deepEqual(rootsOf(store), ["retiring"]);
  await assert.rejects(replica.rotation.plan(root), { code: "ca-rotation/root" });
  await assert.rejects(replica.rotation.plan(), { code: "ca-rotation/none" });
});

test("a plan counts who stands under a root that is trusted and not used, also while nothing else is on its way", async () => {
  const time = createTime();
  const store = await initialised(time);
  const replica = await openReplica(store, time);
  const issuerKeyId = replica.authorities.current().issuing!.keyId;
  await replica.rotation.rotate("test");
  time.pass(4 * minute);
  await replica.rotation.lookAfter();
  const { keyId } = store.records[0]!;
  store.records = store.records.map((record) => (record.keyId === keyId ? { ...record, state: "prepared" } : record));
  await replica.rotation.lookAfter();
  const nowMillis = time.clock.nowMillis();
  store.certificates.push(certificateInUse(1, { atMillis: nowMillis, notAfterMillis: nowMillis + day, issuerKeyId }));
  const plan = await replica.rotation.plan(keyId);
  assert.deepEqual([plan.action, plan.identities], ["remove", 1]);
  await replica.rotation.force(plan.confirmation, keyId, "test");
  assert.deepEqual(rootsOf(store), ["retired", "active"]);
});

test("without an authority no root is made", async () => {
  const time = createTime();
  const replica = await openReplica(createMemoryRotationStore(), time);
  await assert.rejects(replica.rotation.rotate("test"), { code: "ca-authority/none" });
  assert.deepEqual((await replica.rotation.status()).roots, []);
});

test("an acknowledgement is followed by a look within a second, as many as there are at once, where a root waits", async () => {
  const time = createFakeTime(Date.UTC(2030, 0, 1));
  const store = createMemoryRotationStore();
  await (await openReplica(store, { clock: time })).authorities.initialise("test");
  let acknowledged: string | undefined;
  const stream = { spiffeId: "spiffe://example.org/web", fingerprint: undefined, node: "", rejected: undefined };
  const { authorities, rotation } = await openReplica(store, { clock: time }, time, () => [
    { ...stream, acknowledged },
  ]);
  let looks = 0;
  const read = store.authorities.bind(store);
  store.authorities = () => {
    looks++;
    return read();
  };
  rotation.lookSoon();
  await time.advance(2_000);
  assert.equal(looks, 0, "no root is on its way");
  await rotation.rotate("test");
  await time.advance(3 * minute);
  assert.equal(rootsOf(store).at(-1), "published");
  acknowledged = bundleVersion(authorities.current().bundle);
  looks = 0;
  for (let i = 0; i < 1_000; i++) rotation.lookSoon();
  assert.equal(looks, 0);
  await time.advance(999);
  assert.equal(looks, 0);
  await time.advance(1);
  // The self-test makes a key, in a thread.
  await until(() => rootsOf(store).at(-1) === "active");
  assert.deepEqual(rootsOf(store), ["retiring", "active"]);
  rotation.close();
  authorities.close();
});
