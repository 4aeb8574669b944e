import assert from "node:assert/strict";
import { test } from "node:test";
import type { Authorities } from "#ca/authorities/authorities";
import { prepareIssuing } from "#ca/authorities/prepare-issuing";
import { createAuthorityScene, day, statesOf } from "#test/support/ca/authority-scene";

const skew = 10 * 60_000;

async function initialised(settings: Parameters<ReturnType<typeof createAuthorityScene>["open"]>[0] = {}) {
  const scene = createAuthorityScene();
  const authorities = await scene.open(settings);
  await authorities.initialise("test");
  return { ...scene, authorities };
}

const issuerOf = (authorities: Authorities) => authorities.current().issuing!.keyId;

test("the issuing authority is renewed at half of its life, by itself", async () => {
  const { authorities, pass, store, lines } = await initialised();
  const first = issuerOf(authorities);
  await pass(45 * day - 180_000);
  assert.equal(issuerOf(authorities), first);
  await pass(180_000);
  assert.notEqual(issuerOf(authorities), first);
  assert.deepEqual(statesOf(store).slice(2), ["issuing retiring", "issuing active"]);
  assert.equal(store.events.at(-1)!.body["by"], "renewal");
  assert.equal(lines.at(-1)!.message, "an issuing authority is active");
  assert.deepEqual(authorities.warnings(), []);
  authorities.close();
});

test("an authority that was replaced is retired when the last leaf under it has ended, and not before", async () => {
  const { authorities, pass, store } = await initialised({ settings: { longestLeafMillis: 2 * day } });
  await authorities.rotateIssuer("test");
  // Made, tested and active within ten minutes; then leaves of two days; then clocks that are slow.
  await pass(2 * day + 2 * skew);
  assert.deepEqual(statesOf(store).slice(2), ["issuing retiring", "issuing active"]);
  await pass(60_000);
  assert.deepEqual(statesOf(store).slice(2), ["issuing retired", "issuing active"]);
  assert.equal(authorities.status()[1]!.state, "retired");
  const sequence = authorities.current().bundle.sequence;
  await pass(60_000);
  assert.equal(authorities.current().bundle.sequence, sequence, "its root stays");
  authorities.close();
});

test("one that ends sooner than its leaves might is retired when it has ended", async () => {
  const settings = { issuingLifetimeMillis: day, longestLeafMillis: 90 * day };
  const { authorities, pass, store } = await initialised({ settings });
  await authorities.rotateIssuer("test");
  await pass(day + skew);
  assert.equal(statesOf(store)[2], "issuing retiring");
  await pass(60_000);
  assert.equal(statesOf(store)[2], "issuing retired");
  authorities.close();
});

test("the successor is made at two fifths of its life, in the other place, and waits for its time", async () => {
  const { authorities, pass, store } = await initialised();
  const first = issuerOf(authorities);
  await pass(36 * day);
  assert.deepEqual(statesOf(store).slice(2), ["issuing active", "issuing prepared"]);
  assert.deepEqual(
    authorities.status().map(({ role, slot, state }) => [role, slot, state]),
    [
      ["root", undefined, "active"],
      ["issuing", "A", "active"],
      ["issuing", "B", "prepared"],
    ],
  );
  const successor = store.records.at(-1)!.keyId;
  await pass(8 * day);
  assert.equal(issuerOf(authorities), first);
  await pass(day);
  assert.equal(issuerOf(authorities), successor, "the one that was prepared");
  assert.equal(store.records.length, 4);
  await pass(36 * day);
  assert.equal(authorities.status().at(-1)!.slot, "A");
  authorities.close();
});

test("what was prepared by a program that ended is the successor; of two the newer", async () => {
  const { authorities, pass, store, open } = await initialised();
  store.onWrite = (call, when) => {
    // The first five are those of `initialise`, the next keeps what is prepared.
    if (call === 6 && when === "before") throw new Error("the machine stops");
  };
  await assert.rejects(authorities.rotateIssuer("test"), /the machine stops/);
  assert.equal(statesOf(store).at(-1), "issuing prepared");
  store.onWrite = () => {};
  await pass(2 * skew);
  assert.equal(statesOf(store).at(-1), "issuing prepared");
  const left = store.records.at(-1)!;
  const rotated = await authorities.rotateIssuer("test");
  assert.equal(rotated.keyId, left.keyId);
  authorities.close();

  // Another of the same place, as two replicas make them that look at once.
  const before = store.records.map((record) =>
    record.keyId === left.keyId ? { ...record, state: "prepared" as const } : record,
  );
  store.records = before.map((record, i) => (i === 2 ? { ...record, state: "active" as const } : record));
  const reopened = await open();
  await reopened.change((context, state) => prepareIssuing(context, state, state.loaded.roots[0]!));
  await reopened.lookAfter();
  assert.deepEqual(statesOf(store).slice(2), ["issuing active", "issuing retired", "issuing prepared"]);
  reopened.close();
});

test("a renewal that fails is a warning, and is tried again after ten minutes", async () => {
  const { authorities, pass, store, lines } = await initialised();
  const first = issuerOf(authorities);
  let tries = 0;
  store.onWrite = (_, when) => {
    if (when === "before") tries++;
    throw new Error("no room on the disk");
  };
  await pass(45 * day);
  assert.equal(tries, 1);
  assert.equal(issuerOf(authorities), first);
  assert.deepEqual(authorities.warnings(), ["the issuing authority was not renewed: no room on the disk"]);
  assert.deepEqual(
    lines.slice(1).map(({ level, message }) => [level, message]),
    [["warn", "the issuing authority was not renewed"]],
  );
  await pass(9 * 60_000);
  assert.equal(tries, 1);
  store.onWrite = () => {};
  await pass(60_000);
  assert.notEqual(issuerOf(authorities), first);
  assert.deepEqual(authorities.warnings(), []);
  authorities.close();
});

test("a renewal that failed by a clock that was ahead is not waited for when the clock is right", async () => {
  const { authorities, pass, store } = await initialised();
  const first = issuerOf(authorities);
  store.onWrite = () => {
    throw new Error("no room on the disk");
  };
  await pass(80 * day);
  assert.equal(authorities.warnings().length, 1);
  store.onWrite = () => {};
  await pass(-30 * day);
  assert.notEqual(issuerOf(authorities), first);
  authorities.close();
});

test("a store that cannot be read does not end the looking", async () => {
  const { authorities, pass, store, lines } = await initialised();
  const { authorities: read } = store;
  store.authorities = () => Promise.reject(new Error("gone"));
  await pass(60_000);
  assert.equal(lines.at(-1)!.message, "the authorities could not be looked after");
  assert.equal(lines.at(-1)!.fields["reason"], "gone");
  store.authorities = read;
  await pass(45 * day);
  assert.equal(store.records.length, 4, "renewed");
  authorities.close();
});

test("the end of the root is spoken of from 30 % of its life on", async () => {
  const { authorities, pass } = await initialised({ settings: { rootLifetimeMillis: 1000 * day } });
  await pass(699 * day);
  assert.deepEqual(authorities.warnings(), []);
  await pass(2 * day);
  assert.match(authorities.warnings().join(), /^the root `.*` ends at 2032-.*`garita ca root rotate` replaces it$/);
  authorities.close();
});

test("nothing happens after closing", async () => {
  const { authorities, time, store } = await initialised();
  authorities.close();
  time.jump(60 * day);
  await time.advance(3_600_000);
  assert.equal(store.records.length, 3);
});

const years = process.env["GARITA_LONG"] === "1" ? 10 : 1;

test(`${years} years in one run: there is always one active issuer, in its time, under a root of the bundle`, async () => {
  const { authorities, pass, store, time } = await initialised({ settings: { longestLeafMillis: 7 * day } });
  const sequences: number[] = [];
  for (let passed = 0; passed < years * 365 - 60; passed += 5) {
    await pass(5 * day);
    const { issuing, bundle } = authorities.current();
    assert.ok(issuing !== undefined && issuing.certificate.notBefore.millis <= time.nowMillis());
    assert.ok(issuing.notAfterMillis - time.nowMillis() > 7 * day, "room for the longest leaf");
    assert.equal(statesOf(store).filter((state) => state === "issuing active").length, 1);
    assert.ok(statesOf(store).filter((state) => state === "issuing retiring").length <= 1);
    assert.equal(bundle.anchors.length, 1);
    sequences.push(bundle.sequence);
  }
  assert.ok(store.records.length >= 2 + Math.floor((years * 365 - 60) / 50), "renewed again and again");
  assert.equal(new Set(sequences).size, 1, "the anchors did not change");
  assert.equal(authorities.current().keyHashes.size, store.records.length, "no key was given up");
  authorities.close();
});
